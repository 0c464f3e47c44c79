import { bindStatement, type Statement } from '../database.ts';

const WAKE_FOR_READY = `UPDATE brain SET wake = wake + 1
  WHERE id = 1 AND EXISTS (SELECT 1 FROM stages WHERE ready > 0 AND runnable = 1)`;
const WAKE = 'UPDATE brain SET wake = wake + 1 WHERE id = 1';

/** Ends a batch of statements that may have left claimable work: every instance sees `wake` move and looks. */
export function wakeForReady(): Statement {
  return bindStatement(WAKE_FOR_READY, {});
}

/** Wakes the long-polls for a signal. */
export function wakeForSignal(): Statement {
  return bindStatement(WAKE, {});
}
