import type { InputBinding, Submitted } from '@planfleet/shared-types';
import { Hono } from 'hono';
import type { Principal } from '../auth/principal.ts';
import { type AppEnv, requireScope } from '../auth/require-scope.ts';
import { requirePlan } from '../auth/restrictions.ts';
import type { Deps } from '../deps.ts';
import { type BuiltBatch, buildBatch } from '../plan/build-batch.ts';
import { submitBatch } from '../store/transitions/submit-batch.ts';
import { invalid } from './request/parse-input.ts';
import { findPlan, storeBundle } from './submission/find-plan.ts';
import { keepPlans, knowPlans } from './submission/know-plans.ts';
import { type AskedPlan, readSubmission } from './submission/read-submission.ts';

export function submissionRoutes(deps: Deps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  const { db, clock, wake, brain, settings } = deps;

  app.post('/', requireScope(deps, 'submit'), async (c) => {
    const { principal } = c.var;
    const asked = await readSubmission(c.req, settings);
    const version = await findPlan(deps, principal, asked);
    const plans = await knowPlans(deps, principal, withFolder(asked), version);
    const { plan, warnings, content } = buildBatch(version, asked.fields, plans);
    requireNames(principal, asked, { plan, content });
    await requireUploads(deps, content.inputs);
    await storeBundle(deps, asked, version);
    await keepPlans(deps, asked, version, plans);
    const { batch_id, stages, tasks } = await submitBatch(db, {
      ...content,
      submitted_by: principal.subject,
      now: clock.now(),
    });
    wake.notify();
    brain.kick();
    const self = `/v1/batches/${batch_id}`;
    const answer: Submitted = {
      batch_id,
      plan_name: content.plan_name,
      plan_version: version.version,
      stages,
      tasks,
      diagnostics: [...warnings],
      links: { self, stages: `${self}/stages`, tasks: `${self}/tasks`, files: `${self}/files` },
    };
    return c.json(answer, 201, { location: self });
  });

  return app;
}

/** A plan.md that is submitted alone has no folder, and so none that it could execute. */
function withFolder(asked: AskedPlan): AskedPlan {
  return asked.kind === 'sent' && asked.bundle === null ? { ...asked, plans: new Map() } : asked;
}

/**
 * Both names: a token that may run one plan must not run another one under its name. The heading of a registered
 * plan is no name of it; the one that it is registered by was looked at when it was found.
 */
function requireNames(
  principal: Principal,
  asked: AskedPlan,
  { plan, content }: Pick<BuiltBatch, 'plan' | 'content'>,
): void {
  if (asked.kind === 'sent') requirePlan(principal, plan.name);
  requirePlan(principal, content.plan_name);
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
