import type { DecisionView } from '@planfleet/shared-types';
import { bindStatement, type Database, readRows } from '../database.ts';
import { listDecisions } from '../queries/list-decisions.ts';

/** Lines of one turn; what is left comes with the next. */
const MOST = 500;

const READ_LOGGED = 'SELECT decisions_logged AS logged FROM brain WHERE id = 1';

/** Compare and set: of several instances one logs each decision. */
const NOTE_LOGGED = `UPDATE brain SET decisions_logged = :last WHERE id = 1 AND decisions_logged = :before RETURNING 1 AS noted`;

/** The decisions that no instance has written to its log yet; they count as written from now on. */
export async function takeLogLines(db: Database): Promise<readonly DecisionView[]> {
  const [read] = await db.batch([bindStatement(READ_LOGGED, {})], 'read');
  const before = readRows<{ logged: number }>(read)[0]?.logged ?? 0;
  const { items } = await listDecisions(db, {
    batch_id: null,
    type: null,
    order: 'oldest',
    after: before,
    limit: MOST,
  });
  const last = items.at(-1);
  if (last === undefined) return [];
  const [noted] = await db.batch([bindStatement(NOTE_LOGGED, { before, last: last.id })], 'write');
  return noted?.rows.length === 1 ? items : [];
}
