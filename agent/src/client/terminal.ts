import { createPaint, type Paint } from './paint.ts';

/** Everything a command sees of the process around it; tests pass their own. */
export interface Terminal {
  /** Not there: output is a pipe or a file, or nothing can be drawn in place. */
  readonly openScreen?: () => Promise<Screen>;
  /** Whether block characters can be shown; they are when this is not said. */
  readonly unicode?: boolean;
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
  /** Asks a question; true: yes. Not there: nobody can be asked. */
  readonly confirm?: (question: string) => Promise<boolean>;
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

/** Lines that are drawn in place. */
export interface Screen {
  columns(): number;
  rows(): number;
  /** In place of those drawn before. Each must fit the width. */
  draw(lines: readonly string[]): void;
  /** Takes away what was drawn. */
  clear(): void;
  /** Leaves what was drawn, and gives the cursor back. */
  close(): void;
  onResize(redraw: () => void): void;
}

/** The same terminal for a program: what people would read on standard error becomes lines of JSON there. */
export function jsonTerminal(terminal: Terminal): Terminal {
  const { openScreen: _, ...rest } = terminal;
  return {
    ...rest,
    paint: createPaint(false),
    err(text) {
      if (text.startsWith('{')) return terminal.err(text);
      const warning = /^warning: /.test(text);
      const message = warning ? text.slice('warning: '.length) : text.trim();
      if (message !== '') terminal.err(JSON.stringify({ level: warning ? 'warn' : 'info', message }));
    },
  };
}
