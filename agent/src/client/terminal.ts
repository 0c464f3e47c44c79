import { createPaint, type Paint } from './paint.ts';

/** Everything a command sees of the process around it; tests pass their own. */
export interface Terminal {
  /** The data that was asked for. */
  out(line: string): void;
  /** What happens meanwhile, and what went wrong. */
  err(line: string): void;
  /** Data as it comes, not line by line. None: `out` gets its lines. */
  write?(text: string): void;
  /** A person reads along. */
  readonly isTTY?: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly paint: Paint;
}

/** The real one. */
export function processTerminal(): Terminal {
  return {
    out: (line) => process.stdout.write(`${line}\n`),
    err: (line) => process.stderr.write(`${line}\n`),
    write: (text) => process.stdout.write(text),
    isTTY: process.stdout.isTTY === true,
    env: process.env,
    cwd: process.cwd(),
    paint: createPaint(
      process.stdout.isTTY === true && process.stderr.isTTY === true && !process.env['NO_COLOR'],
    ),
  };
}

/** One line of JSON, for machines. */
export function printJson(terminal: Terminal, value: unknown): void {
  terminal.out(JSON.stringify(value));
}
