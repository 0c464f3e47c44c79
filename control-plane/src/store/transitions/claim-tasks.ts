import type { ClaimAnswer, ClaimRequest } from '@planfleet/shared-types';
import { type Database, readRows } from '../database.ts';
import { readWork } from '../queries/look-for-work.ts';
import { claim, readLeases, touchAgent } from '../statements/claim.ts';
import { promote } from '../statements/promote.ts';
import { readClaimAnswer } from './claim-answer.ts';
import { expireLeases } from './expire-leases.ts';

export interface ClaimParams {
  readonly agent: string;
  readonly request: ClaimRequest;
  readonly now: number;
  readonly lease_ms: number;
  readonly tick_ms: number;
}

const NOTHING: ClaimAnswer = { leases: [], stages: [], stops: [] };

/**
 * CLAIM for one agent. A read comes first: when it finds nothing, all that is written is that the agent was heard
 * of. Leases of dead agents and retries that are due are looked at here too, so that neither waits for a tick.
 */
export async function claimTasks(
  db: Database,
  params: ClaimParams,
): Promise<{ ok: true; answer: ClaimAnswer } | { ok: false; reason: 'session_superseded' }> {
  const { agent, request, now, lease_ms, tick_ms } = params;
  const { session, slots, have } = request;
  const touch = touchAgent({ agent, session, now, lease_ms });
  const found = await readWork(db, { agent, session, slots, have, now });
  const freed = found.expired ? await expireLeases(db, { now, tick_ms }) : 0;
  if (!found.work && freed === 0) {
    const [touched] = await db.batch([touch], 'write');
    return touched?.rows.length === 1
      ? { ok: true, answer: NOTHING }
      : { ok: false, reason: 'session_superseded' };
  }
  const before = [touch, ...promote(now), ...claim({ agent, session, slots, have, now })];
  const results = await db.batch([...before, ...readLeases({ agent, session, have })], 'write');
  if (readRows(results[0]).length === 0) return { ok: false, reason: 'session_superseded' };
  return { ok: true, answer: readClaimAnswer(results, before.length) };
}
