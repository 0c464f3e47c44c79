import { ApiError } from '@planfleet/shared-types';
import type { Principal } from './principal.ts';

/** A token that is bound to an agent acts for no other one. */
export function requireAgentName(principal: Principal, name: string): void {
  if (principal.agent === null || principal.agent === name) return;
  throw new ApiError('wrong_scope', `This token is bound to the agent ${principal.agent}, not ${name}.`);
}

export function mayRunPlan({ plans }: Principal, name: string): boolean {
  return plans === null || plans.some((glob) => matchesGlob(glob, name));
}

/** A token with plan globs submits no other plan. */
export function requirePlan(principal: Principal, name: string): void {
  if (mayRunPlan(principal, name)) return;
  const allowed = principal.plans?.join(', ') || 'none';
  throw new ApiError('wrong_scope', `This token may not run the plan "${name}"; it may run: ${allowed}.`);
}

/**
 * `*` stands for any characters, `?` for one. Walked by hand, going back to the last star only: as a regular
 * expression `*a*a*a*b` takes exponential time.
 */
export function matchesGlob(glob: string, text: string): boolean {
  let g = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    if (glob[g] === '*') {
      star = g;
      resume = t;
      g += 1;
    } else if (g < glob.length && (glob[g] === '?' || glob[g] === text[t])) {
      g += 1;
      t += 1;
    } else if (star >= 0) {
      resume += 1;
      t = resume;
      g = star + 1;
    } else return false;
  }
  while (glob[g] === '*') g += 1;
  return g === glob.length;
}
