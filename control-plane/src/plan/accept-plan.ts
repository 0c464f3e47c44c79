import {
  ApiError,
  type Diagnostic,
  type ParsedPlan,
  type ValidateOptions,
  validatePlan,
} from '@planfleet/shared-types';

/** The plan without errors, with its warnings; throws `invalid_plan` with every diagnostic. */
export function acceptPlan(
  markdown: string,
  options: ValidateOptions,
): { plan: ParsedPlan; warnings: Diagnostic[] } {
  const { plan, diagnostics } = validatePlan(markdown, options);
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error');
  const [first] = errors;
  if (first === undefined) return { plan, warnings: diagnostics };
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  throw new ApiError('invalid_plan', `Line ${first.line}: ${first.message}${more}`, {
    details: { diagnostics },
  });
}
