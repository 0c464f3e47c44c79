import type { StageState, StageView } from '@planfleet/shared-types';
import { bindStatement, type Database, type ResultSet, readRows, type Statement } from '../database.ts';
import { type CountsRow, countsView } from './counts-view.ts';

const LIST = `SELECT s.*, (SELECT json_group_array(p.key) FROM stage_edges e JOIN stages p ON p.id = e.from_stage
    WHERE e.to_stage = s.id) AS depends_on
  FROM stages s JOIN batches b ON b.seq = s.batch_seq WHERE b.id = :id ORDER BY s.position`;
const EXISTS = 'SELECT 1 FROM batches WHERE id = :id';

/** All stages of a batch in the order of the plan; null: there is no such batch. A plan has at most some hundred. */
export async function listStages(db: Database, batchId: string): Promise<StageView[] | null> {
  const [found, result] = await db.batch(
    [bindStatement(EXISTS, { id: batchId }), selectStages(batchId)],
    'read',
  );
  return found?.rows.length === 0 ? null : readStageRows(result);
}

/** For reads that want the stages with something else, as both are at one time. */
export function selectStages(batchId: string): Statement {
  return bindStatement(LIST, { id: batchId });
}

export function readStageRows(result: ResultSet | undefined): StageView[] {
  return readRows<StageRow>(result).map((row) => ({
    key: row.key,
    description: row.description,
    state: row.state,
    task_class: row.class,
    depends_on: (JSON.parse(row.depends_on) as string[]).sort(),
    expanded: row.expanded === 1,
    ...countsView(row.state === 'open' ? row : { ...row, waiting: row.waiting + row.ready, ready: 0 }),
  }));
}

interface StageRow extends CountsRow {
  key: string;
  description: string | null;
  state: StageState;
  class: string;
  depends_on: string;
  expanded: number;
}
