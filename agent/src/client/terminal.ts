import { createPaint, type Paint } from './paint.ts';

/** Everything a command sees of the process around it; tests pass their own. */
export interface Terminal {
  /** The data that was asked for. */
  out(line: string): void;
  /** What happens meanwhile, and what went wrong. */
  err(line: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly paint: Paint;
  /** Asks a question; true: yes. Not there: nobody can be asked. */
  readonly confirm?: (question: string) => Promise<boolean>;
}

/** The real one. */
export function processTerminal(): Terminal {
  return {
    out: (line) => process.stdout.write(`${line}\n`),
    err: (line) => process.stderr.write(`${line}\n`),
    env: process.env,
    cwd: process.cwd(),
    paint: createPaint(
      process.stdout.isTTY === true && process.stderr.isTTY === true && !process.env['NO_COLOR'],
    ),
    ...(process.stdin.isTTY && process.stderr.isTTY ? { confirm } : {}),
  };
}

async function confirm(question: string): Promise<boolean> {
  const { createInterface } = await import('node:readline');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    // Ctrl-D and Ctrl-C end the input without an answer: that is no yes.
    return await new Promise<boolean>((resolve) => {
      lines.once('close', () => resolve(false));
      lines.question(`${question} [y/N] `, (answer) => resolve(/^y(es)?$/i.test(answer.trim())));
    });
  } finally {
    lines.close();
  }
}

/** One line of JSON, for machines. */
export function printJson(terminal: Terminal, value: unknown): void {
  terminal.out(JSON.stringify(value));
}
