import type { Output } from './download-outputs.ts';
import { quoteForShell } from './quote-for-shell.ts';

/** The whole command that watches a batch and fetches what it leaves, from any folder; to be pasted into a shell. */
export function watchCommand(batchId: string, outputs: readonly Output[]): string {
  const fetched = outputs.map(({ input, target }) => ` -o ${quoteForShell(`${input}=${target}`)}`);
  return `planfleet status ${batchId} --watch${fetched.join('')}`;
}
