import type { LogsRequest } from '@planfleet/shared-types';
import { bindStatement, type Database, toJson } from '../database.ts';

const NOTE_ARRIVALS = `UPDATE attempt_logs SET kept = 'blob' FROM json_each(:arrived) r
  WHERE attempt_logs.stage_id = r.value->>0 AND attempt_logs.ordinal = r.value->>1 AND attempt_logs.attempt = r.value->>2
    AND attempt_logs.sha256 = r.value->>3 AND attempt_logs.kept = 'machine'
    AND EXISTS (SELECT 1 FROM attempts h JOIN agents a ON a.id = h.agent_id
      WHERE h.stage_id = r.value->>0 AND h.ordinal = r.value->>1 AND h.attempt = r.value->>2 AND a.name = :agent)`;

/** Log files that came after the reports of their attempts. Those of other agents' attempts are left alone. */
export async function noteLogArrivals(
  db: Database,
  params: { agent: string; arrived: NonNullable<LogsRequest['arrived']> },
): Promise<void> {
  const arrived = toJson(params.arrived.map((log) => [log.stage, log.ordinal, log.attempt, log.sha256]));
  await db.batch([bindStatement(NOTE_ARRIVALS, { agent: params.agent, arrived })], 'write');
}
