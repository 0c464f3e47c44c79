import type { Signal } from '@planfleet/shared-types';

/**
 * `tasks.stop`: odd while no answer has carried the signal, even afterwards. `stop` (1, 2) is that of a cancelled
 * batch and ends in `cancelled`; with `abort` (3, 4) and `kill` (5, 6) the attempt has failed. A higher one replaces
 * a lower one of an operator; nothing replaces a stop.
 */
const CODES: Readonly<Record<Signal, number>> = { stop: 1, abort: 3, kill: 5 };

/** Conditions on a task's row. */
export const IS_UNTOLD = 'stop % 2 = 1';
export const IS_CANCELLED = 'stop <= 2';

/** The code of a signal that is to be told. */
export function signalCode(kind: Signal): number {
  return CODES[kind];
}

/** `kind` of a signal, from the column. */
export const SIGNAL_KIND =
  "CASE WHEN t.stop <= 2 THEN 'stop' WHEN t.stop <= 4 THEN 'abort' ELSE 'kill' END AS kind";
