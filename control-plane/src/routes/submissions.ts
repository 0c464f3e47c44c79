import {
  ApiError,
  type Diagnostic,
  type InputBinding,
  type ParsedPlan,
  type Submitted,
  taskDefaults,
  validatePlan,
} from '@planfleet/shared-types';
import { Hono } from 'hono';
import { type AppEnv, requireScope } from '../auth/require-scope.ts';
import { requirePlan } from '../auth/restrictions.ts';
import type { Deps } from '../deps.ts';
import { buildBlueprint } from '../plan/build-blueprint.ts';
import { submitBatch } from '../store/transitions/submit-batch.ts';
import { invalid } from './request/parse-input.ts';
import { bindInputs } from './submission/bind-inputs.ts';
import { readSubmission, type SentPlan } from './submission/read-submission.ts';

export function submissionRoutes(deps: Deps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  const { db, artifacts, clock, wake, brain, settings } = deps;

  app.post('/', requireScope(deps, 'submit'), async (c) => {
    const { principal } = c.var;
    const sent = await readSubmission(c.req, settings);
    const { fields, bundle } = sent;
    const { plan, warnings } = acceptPlan(sent);
    // Both names: a token that may run one plan must not run another one under its name.
    requirePlan(principal, plan.name);
    const plan_name = fields.name ?? plan.name;
    requirePlan(principal, plan_name);
    const inputs = bindInputs(plan.inputs, fields);
    await requireUploads(deps, inputs);

    const plan_digest = await deps.sha256(bundle ?? new TextEncoder().encode(sent.markdown));
    // Before the batch: an agent may ask for the bundle the moment the batch is there.
    if (bundle !== null) await artifacts.put(plan_digest, new Blob([bundle]).stream(), bundle.length);
    const priority = fields.priority ?? taskDefaults.priority;
    const { batch_id, stages, tasks } = await submitBatch(db, {
      blueprint: buildBlueprint(plan, { priority }),
      plan_name,
      plan_digest,
      bundle: bundle === null ? null : plan_digest,
      setup: plan.setup,
      inputs,
      priority,
      submitted_by: principal.subject,
      now: clock.now(),
    });
    wake.notify();
    brain.kick();
    const self = `/v1/batches/${batch_id}`;
    const links = { self, stages: `${self}/stages`, tasks: `${self}/tasks`, files: `${self}/files` };
    const answer: Submitted = { batch_id, plan_name, stages, tasks, diagnostics: warnings, links };
    return c.json(answer, 201, { location: self });
  });

  return app;
}

/** The plan with its inputs filled in, or every reason why not. */
function acceptPlan({ markdown, files, fields }: SentPlan): { plan: ParsedPlan; warnings: Diagnostic[] } {
  const uploads = Object.entries(fields.uploads).map(([input, upload]) => [input, upload.name]);
  const { plan, diagnostics } = validatePlan(markdown, {
    inputs: { ...Object.fromEntries(uploads), ...fields.config },
    travelling: Object.keys(fields.uploads),
    ...(files === null ? {} : { files }),
  });
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error');
  const [first] = errors;
  if (first === undefined) return { plan, warnings: diagnostics };
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  throw new ApiError('invalid_plan', `Line ${first.line}: ${first.message}${more}`, {
    details: { diagnostics },
  });
}

async function requireUploads(deps: Deps, inputs: Readonly<Record<string, InputBinding>>): Promise<void> {
  const travelling = Object.entries(inputs).flatMap(([name, binding]) =>
    'sha256' in binding ? [{ name, sha256: binding.sha256 }] : [],
  );
  if (travelling.length === 0) return;
  const there = await deps.artifacts.has(travelling.map(({ sha256 }) => sha256));
  const issues = travelling
    .filter(({ sha256 }) => !there.has(sha256))
    .map(({ name, sha256 }) => ({
      path: `uploads.${name}`,
      message: `The content ${sha256} was not uploaded.`,
    }));
  if (issues.length > 0) throw invalid(issues, 'Send it first: PUT /v1/blobs/SHA256');
}
