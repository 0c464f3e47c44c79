import { planNameSchema } from '../ids.ts';

/** What `plan` of a task of type execute_plan names. */
export interface ChildPlanName {
  /** Below the plan's own folder, as `a/b`. */
  readonly folder: string;
  /** Of a registered plan; null: it can only be a folder. */
  readonly registered: string | null;
}

/**
 * Reads `{PLAN_PATH}/a/b`, `./a/b` (folders), or `name`, which is a folder where there is one and else a registered
 * plan. Null for a path that leads out of the plan's folder, or to the plan itself.
 */
export function parseChildPlan(text: string): ChildPlanName | null {
  const written = text.trim();
  const path = written.replace(/^\{PLAN_PATH\}(?:\/|$)/, './');
  const names = path
    .replace(/\/plan\.md$/, '')
    .split('/')
    .filter((name) => name !== '' && name !== '.');
  const isPath = path.startsWith('/') || names.includes('..') || names.length === 0 || path.includes('\0');
  if (isPath) return null;
  const isFolder = path !== written || path.startsWith('./');
  const isName = !isFolder && planNameSchema.safeParse(written).success;
  return { folder: names.join('/'), registered: isName ? written : null };
}
