import { bindStatement, type Database, readRows } from '../database.ts';

const FIND = `SELECT id AS batch_id, request_digest AS digest, answer FROM batches
  WHERE submitted_by = :submitted_by AND idempotency_key = :key`;

/** A submission that was made under an idempotency key. */
export interface FirstSubmission {
  readonly batch_id: string;
  /** sha256 of what was asked for. */
  readonly digest: string;
  /** JSON of what was answered besides the batch's id. */
  readonly answer: string;
}

/** What was submitted under a key by whom; null: nothing, or its batch was deleted. */
export async function findSubmission(
  db: Database,
  options: { submitted_by: string; key: string },
): Promise<FirstSubmission | null> {
  const [result] = await db.batch([bindStatement(FIND, options)], 'read');
  return readRows<FirstSubmission>(result)[0] ?? null;
}
