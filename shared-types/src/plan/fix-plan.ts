import { chooseFixes } from './apply-fixes.ts';
import type { Diagnostic } from './diagnostic.ts';
import { type ValidateOptions, validatePlan } from './validate-plan.ts';

/** A plan with everything made right that can be made right without asking. */
export interface FixedPlan {
  readonly markdown: string;
  /** What was repaired, each as it stood in the text of its round. */
  readonly fixed: readonly Diagnostic[];
  /** What is left. */
  readonly diagnostics: readonly Diagnostic[];
}

// A fix can uncover one fault more (a wrong key hid a wrong value, which hid a wrong placeholder); the corpus takes
// three rounds.
const MOST_ROUNDS = 12;
/** Edits tried one at a time when a round made things worse; each costs a validation. */
const MOST_TRIED = 40;

/**
 * Validates, applies, and validates again until nothing changes. Errors come first: a warning may be gone with them
 * (an input is not used because its placeholder is misspelled). It never ends with more errors than it began with.
 */
export function fixPlan(markdown: string, options: ValidateOptions = {}): FixedPlan {
  let now: FixedPlan = { markdown, fixed: [], diagnostics: validatePlan(markdown, options).diagnostics };
  const seen = new Set([markdown]);
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const next = improve(now, options);
    if (next === null || seen.has(next.markdown)) break;
    seen.add(next.markdown);
    now = next;
  }
  return now;
}

function improve(now: FixedPlan, options: ValidateOptions): FixedPlan | null {
  const fixable = now.diagnostics.filter(({ edits }) => edits !== undefined);
  const errors = fixable.filter(({ severity }) => severity === 'error');
  for (const tried of errors.length > 0 ? [errors, fixable] : [fixable]) {
    const next = attempt(now, tried, options);
    if (next !== null) return next;
    for (const each of tried.slice(0, MOST_TRIED)) {
      const alone = attempt(now, [each], options);
      if (alone !== null) return alone;
    }
  }
  return null;
}

/** The plan with these fixed; null when nothing changed or there are more errors than before. */
function attempt(now: FixedPlan, wanted: readonly Diagnostic[], options: ValidateOptions): FixedPlan | null {
  const { markdown, fixed } = chooseFixes(now.markdown, wanted);
  if (markdown === now.markdown) return null;
  const { diagnostics } = validatePlan(markdown, options);
  if (countErrors(diagnostics) > countErrors(now.diagnostics)) return null;
  return { markdown, fixed: [...now.fixed, ...fixed], diagnostics };
}

function countErrors(diagnostics: readonly Diagnostic[]): number {
  return diagnostics.filter(({ severity }) => severity === 'error').length;
}
