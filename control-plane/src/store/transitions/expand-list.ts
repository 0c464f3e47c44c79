import { type Database, readRows } from '../database.ts';
import { EXPAND_ADVANCED, expand } from '../statements/expand.ts';
import { settle } from '../statements/settle.ts';
import { settleEmptyStages } from './settle-stages.ts';

/** The next chunk of a list becomes tasks of all its stages. `more`: another chunk is waiting. */
export async function expandList(
  db: Database,
  params: { list: number; now: number },
): Promise<{ more: boolean }> {
  const expansion = expand([params.list], params.now);
  const results = await db.batch(
    [...expansion, ...settle({ stages: [], lists: [params.list], now: params.now })],
    'write',
  );
  await settleEmptyStages(db, results, expansion.length, params.now);
  const advanced = readRows<{ more: number }>(results[EXPAND_ADVANCED]);
  return { more: Number(advanced[0]?.more ?? 0) === 1 };
}
