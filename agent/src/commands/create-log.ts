import { printableLine } from '../client/printable-text.ts';
import type { Terminal } from '../client/terminal.ts';

export interface LogEntry {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly [key: string]: unknown;
}
export type Log = (entry: LogEntry) => void;

/** On standard error: one JSON object a line for programs, `time message key=value` for people. */
export function createLog(terminal: Terminal, json: boolean, now: () => Date = () => new Date()): Log {
  return ({ level, message, ...rest }) => {
    const time = now().toISOString();
    if (json) return terminal.err(JSON.stringify({ time, level, message, ...rest }));
    const word = { info: '', warn: terminal.paint.yellow('warning: '), error: terminal.paint.red('error: ') }[
      level
    ];
    const details = Object.entries(rest)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
    terminal.err(
      `${terminal.paint.dim(time.slice(11, 19))} ${word}${printableLine(message + details.join(''), 1_000)}`,
    );
  };
}
