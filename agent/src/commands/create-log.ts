import { printableLine } from '../client/printable-text.ts';
import type { Terminal } from '../client/terminal.ts';

/** Control plane and agent each add facts of their own. */
export interface LogEntry {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
}
export type Log = (entry: LogEntry) => void;

/** On standard error: one JSON object a line for programs, `time message key=value` for people. */
export function createLog(terminal: Terminal, json: boolean, now: () => Date = () => new Date()): Log {
  const { paint } = terminal;
  const words = { info: '', warn: paint.yellow('warning: '), error: paint.red('error: ') };
  return (entry) => {
    const time = now().toISOString();
    if (json) return terminal.err(JSON.stringify({ time, ...entry }));
    const { level, message, ...rest } = entry;
    const text = message + factsOf(rest).join('');
    terminal.err(`${paint.dim(time.slice(11, 19))} ${words[level]}${printableLine(text, 1_000)}`);
  };
}

function factsOf(rest: object): string[] {
  return Object.entries(rest).flatMap(([key, value]: [string, unknown]) => {
    // A name for programs to look for; the message says it to people.
    if (key === 'event' || value === undefined) return [];
    if (key === 'details' && typeof value === 'object' && value !== null) return factsOf(value);
    return [` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`];
  });
}
