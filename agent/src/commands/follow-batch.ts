import { relative } from 'node:path';
import { type BatchView, fileViewSchema, pageSchema } from '@planfleet/shared-types';
import type { ApiClient } from '../client/api-client.ts';
import { batchPath } from '../client/batch-path.ts';
import { CliError, EXIT, type ExitCode } from '../client/cli-error.ts';
import { downloadOutputs, type Output } from '../client/download-outputs.ts';
import { explainFailures } from '../client/explain-failures.ts';
import { formatCounts } from '../client/format-progress.ts';
import { paintState } from '../client/paint.ts';
import { formatDuration } from '../client/parse-duration.ts';
import { printableLine } from '../client/printable-text.ts';
import { openView } from '../client/progress/open-view.ts';
import type { Terminal } from '../client/terminal.ts';
import { watchCommand } from '../client/watch-command.ts';
import { watchInterruptible } from '../client/watch-interruptible.ts';

export interface Following {
  readonly client: ApiClient;
  readonly batch_id: string;
  readonly outputs: readonly Output[];
  readonly json: boolean;
  readonly terminal: Terminal;
}

/** Progress until the batch has ended, then its results on this machine, or why it failed. */
export async function followBatch(following: Following): Promise<ExitCode> {
  const { client, batch_id, json, terminal } = following;
  // With --json standard output is for programs, and so is standard error.
  const say = json ? terminal.err : terminal.out;
  const view = await openView(terminal, { json, say });
  const batch = await watchInterruptible({ client, batch_id, view });
  if (batch === null) return sayGoesOn(batch_id, following.outputs, terminal);
  // How the batch ended is said even when its results cannot be fetched.
  const problem = await fetchOutputs(following, batch, say).catch((error: unknown) => error);
  if (!json && batch.abandoned > 0) {
    say('');
    for (const line of await explainFailures(client, batch, terminal.paint)) say(line);
    say('');
  }
  if (!json) say(summarize(batch, terminal));
  if (!json && following.outputs.length === 0) await sayFiles(client, batch_id, terminal);
  if (problem !== undefined) throw problem;
  return batch.state === 'succeeded' ? EXIT.done : EXIT.batch_failed;
}

/** After Ctrl-C. */
export function sayGoesOn(batchId: string, outputs: readonly Output[], terminal: Terminal): ExitCode {
  terminal.err(`\nBatch ${batchId} goes on without this.`);
  terminal.err(`  watch it again:  ${watchCommand(batchId, outputs)}`);
  terminal.err(`  stop it:         planfleet cancel ${batchId}`);
  return EXIT.interrupted;
}

/** Where the results are that nobody asked to be fetched. */
export async function sayFiles(client: ApiClient, batchId: string, terminal: Terminal): Promise<void> {
  const query = { limit: 1, prefix: 'output/' };
  const { items } = await client.get(pageSchema(fileViewSchema), batchPath(batchId, '/files'), { query });
  if (items.length > 0) terminal.err(`Its results: planfleet files ${batchId} get output .`);
}

function summarize(batch: BatchView, terminal: Terminal): string {
  const end = batch.finished_at === null ? Date.now() : Date.parse(batch.finished_at);
  const duration = formatDuration(end - Date.parse(batch.created_at));
  const state = paintState(terminal.paint, batch.state);
  return `Batch ${batch.id} ${state} in ${duration}: ${formatCounts(batch)}`;
}

/** Lines of one problem each; a folder of a thousand files need not say the same a thousand times. */
const SHOWN_FAILURES = 10;

async function fetchOutputs(
  { client, batch_id, outputs, terminal }: Following,
  batch: BatchView,
  say: (line: string) => void,
): Promise<void> {
  const { found, failed } = await downloadOutputs(client, batch_id, outputs);
  for (const [output, files] of found) {
    const place = relative(terminal.cwd, output.target) || output.target;
    const target = place.startsWith('..') ? output.target : place;
    if (files > 0)
      say(
        `${output.input}: ${target}${output.kind === 'output_file' || files === 1 ? '' : ` (${files} files)`}`,
      );
    // A batch that failed has said enough.
    else if (batch.state === 'succeeded' && failed.length === 0)
      terminal.err(`warning: ${output.input}: no task wrote ${output.path}, so ${target} was not written`);
  }
  if (failed.length === 0) return;
  const lines = failed
    .slice(0, SHOWN_FAILURES)
    .map(({ path, error }) => `  ${printableLine(path, 200)}: ${printableLine(error.message, 500)}`);
  if (failed.length > SHOWN_FAILURES) lines.push(`  and ${failed.length - SHOWN_FAILURES} more`);
  const count = failed.length === 1 ? '1 file was' : `${failed.length} files were`;
  throw new CliError(EXIT.unreachable, [`${count} not fetched`, ...lines].join('\n'));
}
