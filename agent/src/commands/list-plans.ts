import { planVersionViewSchema } from '@planfleet/shared-types';
import { EXIT, type ExitCode } from '../client/cli-error.ts';
import { formatTable } from '../client/format-table.ts';
import { printableLine } from '../client/printable-text.ts';
import { readPages } from '../client/read-pages.ts';
import { printJson, type Terminal } from '../client/terminal.ts';
import { connect, type ServerOptions } from './connect.ts';

/** All registered plans; with `--json` one line for each page. */
export async function listPlans(options: ServerOptions, terminal: Terminal): Promise<ExitCode> {
  const client = await connect(options, terminal);
  let shown = 0;
  for await (const page of readPages(client, planVersionViewSchema, '/v1/plans')) {
    shown += page.value.items.length;
    if (options.json) {
      printJson(terminal, page.raw);
      continue;
    }
    const rows = page.value.items.map((plan) => [
      plan.name,
      `version ${plan.version}`,
      `by ${printableLine(plan.registered_by, 40)}`,
      plan.created_at,
    ]);
    for (const line of formatTable(rows)) terminal.out(line);
  }
  if (shown === 0 && !options.json)
    terminal.err('No plans are registered. planfleet plan register DIR adds one.');
  return EXIT.done;
}
