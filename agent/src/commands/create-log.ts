import { printableLine } from '../client/printable-text.ts';
import type { Terminal } from '../client/terminal.ts';

export interface LogEntry {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  /** A name for programs to look for; the message says it to people. */
  readonly event?: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
}
export type Log = (entry: LogEntry) => void;

/** On standard error: one JSON object a line for programs, `time message key=value` for people. */
export function createLog(terminal: Terminal, json: boolean, now: () => Date = () => new Date()): Log {
  const { paint } = terminal;
  const words = { info: '', warn: paint.yellow('warning: '), error: paint.red('error: ') };
  return (entry) => {
    const time = now().toISOString();
    if (json) return terminal.err(JSON.stringify({ time, ...entry }));
    const { level, message, event: _, details, ...rest } = entry;
    const facts = Object.entries({ ...rest, ...details })
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
    terminal.err(
      `${paint.dim(time.slice(11, 19))} ${words[level]}${printableLine(message + facts.join(''), 1_000)}`,
    );
  };
}
