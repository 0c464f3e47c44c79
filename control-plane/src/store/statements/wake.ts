import { bindStatement, type Statement } from '../database.ts';

const WAKE = 'UPDATE brain SET wake = wake + 1 WHERE id = 1';

/** Wakes the long-polls for a signal. For work a trigger of the schema does it, whichever statement made it claimable. */
export function wakeForSignal(): Statement {
  return bindStatement(WAKE, {});
}
