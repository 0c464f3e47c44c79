import type { Principal } from '../../auth/principal.ts';
import { mayRunPlan, requirePlan } from '../../auth/restrictions.ts';
import type { Deps } from '../../deps.ts';
import { unknownPlan, unknownVersion } from '../../plan/unknown-plan.ts';
import type { PlanVersion } from '../../plan-version.ts';
import { listPlanNames } from '../../store/queries/list-plans.ts';
import { readPlanVersion } from '../../store/queries/read-plan-version.ts';
import type { AskedPlan, SentPlan } from './read-submission.ts';

/** The plan that a submission is about, the registered one where it names one. Stores nothing. */
export async function findPlan(deps: Deps, principal: Principal, asked: AskedPlan): Promise<PlanVersion> {
  if (asked.kind === 'sent') return toVersion(asked);
  const { name, version } = asked;
  requirePlan(principal, name);
  const found = await readPlanVersion(deps.db, { name, version });
  if (found !== null) return found;
  const newest = version === null ? null : await readPlanVersion(deps.db, { name, version: null });
  if (version !== null && newest !== null) throw unknownVersion(name, version, newest.version);
  // A name that the token may not run is no use to whoever holds it, and none of their business.
  const names = (await listPlanNames(deps.db)).filter((each) => mayRunPlan(principal, each));
  throw unknownPlan(name, names);
}

/** A plan that was sent, as a version of no name yet. */
export function toVersion({ markdown, bundle, files, digest }: SentPlan): PlanVersion {
  return { name: null, version: null, digest, bundle: bundle === null ? null : digest, markdown, files };
}

/** Keeps the bundle. Before the row that names it: an agent may ask for it the moment that is there. */
export async function storeBundle(deps: Deps, asked: AskedPlan): Promise<void> {
  if (asked.kind !== 'sent' || asked.bundle === null) return;
  await deps.artifacts.put(asked.digest, new Blob([asked.bundle]).stream(), asked.bundle.length);
}
