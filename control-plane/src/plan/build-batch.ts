import {
  type Diagnostic,
  type KnownPlans,
  type ParsedPlan,
  type SubmitFields,
  taskDefaults,
} from '@planfleet/shared-types';
import type { BatchContent } from '../blueprint.ts';
import type { PlanVersion } from '../plan-version.ts';
import { acceptPlan } from './accept-plan.ts';
import { bindInputs } from './bind-inputs.ts';
import { buildBlueprint } from './build-blueprint.ts';

export interface BuiltBatch {
  readonly plan: ParsedPlan;
  readonly warnings: readonly Diagnostic[];
  readonly content: BatchContent;
}

/**
 * Makes a batch of a plan and what was given for it, whoever submits it: all that is left is to write it. Throws
 * `invalid_plan` with every diagnostic, and `invalid` where uploads or outputs do not fit.
 */
export function buildBatch(version: PlanVersion, given: SubmitFields, plans?: KnownPlans): BuiltBatch {
  const uploads = Object.entries(given.uploads).map(([input, upload]) => [input, upload.name]);
  const { plan, warnings } = acceptPlan(version.markdown, {
    inputs: { ...Object.fromEntries(uploads), ...given.config },
    travelling: Object.keys(given.uploads),
    ...(version.files === null ? {} : { files: version.files }),
    ...(plans === undefined ? {} : { plans }),
  });
  const priority = given.priority ?? taskDefaults.priority;
  return {
    plan,
    warnings,
    content: {
      blueprint: buildBlueprint(plan, { priority }),
      plan_name: given.name ?? version.name ?? plan.name,
      plan_digest: version.digest,
      bundle: version.bundle,
      setup: plan.setup,
      inputs: bindInputs(plan.inputs, given),
      priority,
    },
  };
}
