import type { Database } from '../../control-plane/src/store/database.ts';
import { readAgent } from '../../control-plane/src/store/queries/read-agent.ts';
import { readBatchFacts, readTaskFacts } from '../../control-plane/src/store/queries/read-facts.ts';
import { drainAgent, resumeAgent } from '../../control-plane/src/store/transitions/drain-agent.ts';
import { pauseBatch, resumeBatch } from '../../control-plane/src/store/transitions/pause-batch.ts';
import { retryBatch } from '../../control-plane/src/store/transitions/retry-batch.ts';
import { retryTask } from '../../control-plane/src/store/transitions/retry-task.ts';
import { signalTask } from '../../control-plane/src/store/transitions/signal-task.ts';
import { sweepRetry } from '../../control-plane/src/store/transitions/sweep-retry.ts';

/** Everything that operators do and ask, once, for the test that explains every statement. */
export async function runOperations(
  db: Database,
  { batch_id, agent, now }: { batch_id: string; agent: string; now: number },
): Promise<void> {
  const asked = { batch_id, by: 'x', now };
  const address = { batch_id, stage_key: 'scan', ordinal: 0 };
  await pauseBatch(db, asked);
  await resumeBatch(db, asked);
  await retryBatch(db, asked);
  await sweepRetry(db, { batch_id });
  await retryTask(db, { ...address, by: 'x', now });
  await signalTask(db, { ...address, kind: 'kill', by: 'x', now });
  await drainAgent(db, { agent, by: 'x', now });
  await resumeAgent(db, { agent, by: 'x', now });
  await readAgent(db, { name: agent, now });
  await readBatchFacts(db, { batch_id, now });
  await readTaskFacts(db, address);
}
