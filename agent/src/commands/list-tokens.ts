import { tokenViewSchema } from '@planfleet/shared-types';
import { EXIT, type ExitCode } from '../client/cli-error.ts';
import { formatTable } from '../client/format-table.ts';
import { printableLine } from '../client/printable-text.ts';
import { readPages } from '../client/read-pages.ts';
import { printJson, type Terminal } from '../client/terminal.ts';
import { connect, type ServerOptions } from './connect.ts';

export async function listTokens(options: ServerOptions, terminal: Terminal): Promise<ExitCode> {
  const client = await connect(options, terminal);
  for await (const page of readPages(client, tokenViewSchema, '/v1/tokens')) {
    if (options.json) {
      printJson(terminal, page.raw);
      continue;
    }
    const rows = page.value.items.map((token) => [
      token.jti,
      printableLine(token.subject, 40),
      token.scopes.join(' '),
      token.agent === null ? '' : `agent ${token.agent}`,
      token.plans === null ? '' : `plans ${printableLine(token.plans.join(','), 60)}`,
      token.revoked_at !== null
        ? `revoked ${token.revoked_at}`
        : token.expires_at === null
          ? 'does not expire'
          : `until ${token.expires_at}`,
    ]);
    for (const line of formatTable(rows)) terminal.out(line);
  }
  if (!options.json)
    terminal.err(
      'Not listed: tokens made with --signing-key. `tokens revoke` ends them too, by the id said then.',
    );
  return EXIT.done;
}
