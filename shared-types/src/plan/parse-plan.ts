import type { ParsedPlan } from './plan.ts';
import { readPlan } from './read-plan.ts';

/** Reads a plan.md as far as it can be read; `validatePlan` says what is wrong with it. */
export function parsePlan(markdown: string): ParsedPlan {
  return readPlan(markdown).plan;
}
