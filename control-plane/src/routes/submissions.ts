import { ApiError, type InputBinding, type Submitted } from '@planfleet/shared-types';
import { type Context, Hono } from 'hono';
import type { Principal } from '../auth/principal.ts';
import { type AppEnv, requireScope } from '../auth/require-scope.ts';
import { requirePlan } from '../auth/restrictions.ts';
import { countTasks } from '../blueprint.ts';
import type { Deps } from '../deps.ts';
import { type BuiltBatch, buildBatch } from '../plan/build-batch.ts';
import { type FirstSubmission, findSubmission } from '../store/queries/find-submission.ts';
import { submitBatch } from '../store/transitions/submit-batch.ts';
import { invalid } from './request/parse-input.ts';
import { findPlan, storeBundle } from './submission/find-plan.ts';
import { digestSubmission, readIdempotencyKey } from './submission/idempotency-key.ts';
import { keepPlans, knowPlans } from './submission/know-plans.ts';
import { type AskedPlan, readSubmission } from './submission/read-submission.ts';

export function submissionRoutes(deps: Deps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  const { db, clock, wake, brain } = deps;

  app.post('/', requireScope(deps, 'submit'), async (c) => {
    const { principal } = c.var;
    const key = readIdempotencyKey(c.req);
    const asked = await readSubmission(c.req, deps);
    const digest = await digestSubmission(deps, asked);
    // Before the plan is looked at: another version of it may be the newest one by now, and may want other inputs.
    const earlier = key === null ? null : await findSubmission(db, { submitted_by: principal.subject, key });
    if (earlier !== null) return answerAgain(c, earlier, digest);

    const version = await findPlan(deps, principal, asked);
    const plans = await knowPlans(deps, principal, withFolder(asked), version);
    const { plan, warnings, content } = buildBatch(version, asked.fields, plans);
    requireNames(principal, asked, { plan, content });
    await requireUploads(deps, content.inputs);
    await storeBundle(deps, asked);
    await keepPlans(deps, asked, version, plans);
    const answer: Answer = {
      plan_name: content.plan_name,
      plan_version: version.version,
      stages: content.blueprint.stages.length,
      tasks: countTasks(content.blueprint),
      diagnostics: [...warnings],
    };
    const { batch_id, first } = await submitBatch(db, {
      ...content,
      submitted_by: principal.subject,
      now: clock.now(),
      idempotency: key === null ? null : { key, digest, answer },
    });
    if (first !== null) return answerAgain(c, first, digest);
    wake.notify();
    brain.kick();
    return c.json(withLinks(batch_id, answer), 201, { location: `/v1/batches/${batch_id}` });
  });

  return app;
}

/** A plan.md that is submitted alone has no folder, and so none that it could execute. */
function withFolder(asked: AskedPlan): AskedPlan {
  return asked.kind === 'sent' && asked.bundle === null ? { ...asked, plans: new Map() } : asked;
}

/** What is answered besides the batch's id, which only its INSERT makes. */
type Answer = Omit<Submitted, 'batch_id' | 'links'>;

function withLinks(batch_id: string, answer: Answer): Submitted {
  const self = `/v1/batches/${batch_id}`;
  const links = { self, stages: `${self}/stages`, tasks: `${self}/tasks`, files: `${self}/files` };
  return { batch_id, ...answer, links };
}

/** The first answer once more, for whoever did not get it. */
function answerAgain(c: Context, first: FirstSubmission, digest: string): Response {
  const { batch_id } = first;
  if (first.digest !== digest) {
    throw new ApiError(
      'idempotency_mismatch',
      `This Idempotency-Key stands for batch ${batch_id}, which was another submission.`,
      {
        hint: 'Give a new submission a new key. To repeat the first one, send exactly what was sent then.',
        details: { batch_id },
      },
    );
  }
  const answer = JSON.parse(first.answer) as Answer;
  return c.json(withLinks(batch_id, answer), 200, {
    location: `/v1/batches/${batch_id}`,
    'idempotency-replayed': 'true',
  });
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
