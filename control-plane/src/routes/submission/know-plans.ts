import { findPlaceholders, type KnownPlans, parseChildPlan, parsePlan } from '@planfleet/shared-types';
import type { Principal } from '../../auth/principal.ts';
import { requirePlan } from '../../auth/restrictions.ts';
import type { Deps } from '../../deps.ts';
import type { PlanVersion } from '../../plan-version.ts';
import { listChildPlans } from '../../store/queries/read-child-plan.ts';
import { readPlanVersion } from '../../store/queries/read-plan-version.ts';
import { storeChildPlans } from '../../store/transitions/store-child-plans.ts';
import type { AskedPlan } from './read-submission.ts';

/** Registered plans looked up for one submission; a plan that names more of them is told of those at run time. */
const MAX_NAMES = 50;

/** A task may execute a plan; most plans have none, and are not read twice for that. */
const EXECUTES = /execute_plan|^\s*[-*+]\s+[*_`]*plan[*_`]*\s*:/im;

/**
 * The plans that tasks of this one may execute; undefined: it has no such task. A restricted token may execute no
 * other registered plan than it may run.
 */
export async function knowPlans(
  deps: Deps,
  principal: Principal,
  asked: AskedPlan,
  version: PlanVersion,
): Promise<KnownPlans | undefined> {
  if (!EXECUTES.test(version.markdown)) return undefined;
  const folders =
    asked.kind === 'sent' ? (asked.plans ?? null) : await listChildPlans(deps.db, version.digest);
  const registered = new Map<string, string | null>();
  for (const name of namesIn([version.markdown, ...(folders?.values() ?? [])])) {
    const found = await readPlanVersion(deps.db, { name, version: null });
    const isFolder = folders?.has(name) === true;
    if (found !== null && !isFolder) requirePlan(principal, name);
    registered.set(name, found?.markdown ?? null);
  }
  return { folders, registered };
}

/** Keeps them for the tasks: a plan that is registered already has its own. */
export async function keepPlans(
  deps: Deps,
  asked: AskedPlan,
  version: PlanVersion,
  plans: KnownPlans | undefined,
): Promise<void> {
  const folders = plans?.folders;
  if (asked.kind !== 'sent' || folders === undefined || folders === null || folders.size === 0) return;
  await storeChildPlans(deps.db, { plan_digest: version.digest, folders });
}

/** What may be the name of a registered plan. */
function namesIn(texts: readonly string[]): Set<string> {
  const names = new Set<string>();
  for (const markdown of texts) {
    if (names.size >= MAX_NAMES || !EXECUTES.test(markdown)) continue;
    for (const { type, plan } of parsePlan(markdown).tasks) {
      if (type !== 'execute_plan' || plan === null || findPlaceholders(plan).length > 0) continue;
      const name = parseChildPlan(plan)?.registered ?? null;
      if (name !== null && names.size < MAX_NAMES) names.add(name);
    }
  }
  return names;
}
