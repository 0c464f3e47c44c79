import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPaint } from '../../../agent/src/client/paint.ts';
import type { Terminal } from '../../../agent/src/client/terminal.ts';
import { runCli } from '../../../agent/src/commands/run-cli.ts';

/** A terminal that keeps what is printed, in a home folder of its own. */
export async function createTestTerminal(env: Record<string, string> = {}) {
  const home = await mkdtemp(join(tmpdir(), 'planfleet cli '));
  const out: string[] = [];
  const err: string[] = [];
  const terminal: Terminal = {
    out: (line) => out.push(...line.split('\n')),
    err: (line) => err.push(...line.split('\n')),
    env: { HOME: home, ...env },
    cwd: home,
    paint: createPaint(false),
  };
  return {
    terminal,
    home,
    out,
    err,
    run: (...args: string[]) => runCli(args, terminal),
    remove: () => rm(home, { recursive: true, force: true }),
  };
}
export type TestTerminal = Awaited<ReturnType<typeof createTestTerminal>>;
