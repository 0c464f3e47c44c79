import type { Terminal } from '../terminal.ts';
import type { ProgressView } from './progress-view.ts';

/** The view that suits: JSON for programs, bars at a terminal (which stay at the end, or not), else lines that `say` takes. */
export async function openView(
  terminal: Terminal,
  options: { json: boolean; say: (line: string) => void; leave?: boolean },
): Promise<ProgressView> {
  if (options.json) return (await import('./json-view.ts')).createJsonView(terminal);
  if (terminal.openScreen === undefined)
    return (await import('./lines-view.ts')).createLinesView(options.say);
  const { createBarsView } = await import('./bars-view.ts');
  return createBarsView(await terminal.openScreen(), terminal, options.leave ?? true);
}
