import type { Page, StageState, StageView } from '@planfleet/shared-types';
import { bindStatement, type Database, type ResultSet, readRows, type Statement } from '../database.ts';
import { type CountsRow, countsView } from './counts-view.ts';
import { toPage } from './page.ts';

const LIST = `SELECT s.*, (SELECT json_group_array(p.key) FROM stage_edges e JOIN stages p ON p.id = e.from_stage
    WHERE e.to_stage = s.id) AS depends_on
  FROM stages s JOIN batches b ON b.seq = s.batch_seq WHERE b.id = :batch_id AND s.position > :after
  ORDER BY s.position LIMIT :limit`;
const EXISTS = 'SELECT 1 FROM batches WHERE id = :batch_id';

/** The stages of a batch in the order of the plan; null: there is no such batch. */
export async function listStages(
  db: Database,
  options: { batch_id: string; limit: number; after: number | null },
): Promise<Page<StageView> | null> {
  const { batch_id, limit } = options;
  const bound = { batch_id, limit: limit + 1, after: options.after ?? -1 };
  const [found, result] = await db.batch([bindStatement(EXISTS, bound), bindStatement(LIST, bound)], 'read');
  if (found?.rows.length === 0) return null;
  return toPage(readRows<StageRow>(result), limit, toStageView, (row) => String(row.position));
}

/** For reads that want all stages with something else, as both are at one time. */
export function selectStages(batchId: string): Statement {
  return bindStatement(LIST, { batch_id: batchId, after: -1, limit: Number.MAX_SAFE_INTEGER });
}

export function readStageRows(result: ResultSet | undefined): StageView[] {
  return readRows<StageRow>(result).map(toStageView);
}

function toStageView(row: StageRow): StageView {
  return {
    key: row.key,
    description: row.description,
    state: row.state,
    task_class: row.class,
    depends_on: (JSON.parse(row.depends_on) as string[]).sort(),
    expanded: row.expanded === 1,
    ...countsView(row.state === 'open' ? row : { ...row, waiting: row.waiting + row.ready, ready: 0 }),
  };
}

interface StageRow extends CountsRow {
  position: number;
  key: string;
  description: string | null;
  state: StageState;
  class: string;
  depends_on: string;
  expanded: number;
}
