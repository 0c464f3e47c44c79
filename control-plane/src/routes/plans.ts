import {
  ApiError,
  findNearestName,
  type ParsedPlan,
  type PlanDetail,
  parsePlan,
  planNameSchema,
  type RegisteredPlan,
  type Validation,
  validatePlan,
} from '@planfleet/shared-types';
import { Hono, type HonoRequest } from 'hono';
import type { Principal } from '../auth/principal.ts';
import { type AppEnv, requireScope } from '../auth/require-scope.ts';
import { requirePlan } from '../auth/restrictions.ts';
import type { Deps } from '../deps.ts';
import { acceptPlan } from '../plan/accept-plan.ts';
import { dependenciesOf } from '../plan/sort-tasks.ts';
import type { Database } from '../store/database.ts';
import { listPlanNames, listPlans, listPlanVersions, toVersionView } from '../store/queries/list-plans.ts';
import { type RegisteredVersion, readPlanVersion } from '../store/queries/read-plan-version.ts';
import { registerPlan } from '../store/transitions/register-plan.ts';
import { invalid, parseInput } from './request/parse-input.ts';
import { planQuery, plansQuery, planVersionsQuery } from './request/queries.ts';
import { readQuery } from './request/read-query.ts';
import { findPlan, storeBundle, toVersion } from './submission/find-plan.ts';
import { keepPlans, knowPlans } from './submission/know-plans.ts';
import { type AskedPlan, readPlan, readSubmission, type SentPlan } from './submission/read-submission.ts';

export function planRoutes(deps: Deps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  const { db, clock } = deps;

  // Takes what a submission takes. Inputs are checked only where some are given: an author has none yet.
  app.post('/validate', requireScope(deps, 'submit'), async (c) => {
    return c.json(await validateSent(deps, c.var.principal, await readSubmission(c.req, deps)));
  });

  app.get('/', requireScope(deps, 'read'), async (c) =>
    c.json(await listPlans(db, readQuery(c.req, plansQuery))),
  );

  app.put('/:name', requireScope(deps, 'submit'), async (c) => {
    const { principal } = c.var;
    const name = readPlanName(c.req);
    requirePlan(principal, name);
    const sent = await readPlan(c.req, deps);
    refuseFields(sent);
    const version = toVersion(sent);
    const { markdown, files } = version;
    const plans = await knowPlans(deps, principal, sent, version);
    const { warnings } = acceptPlan(markdown, {
      ...(files === null ? {} : { files }),
      ...(plans === undefined ? {} : { plans }),
    });
    await storeBundle(deps, sent);
    await keepPlans(deps, sent, version, plans);
    const { created, view, newest_version } = await registerPlan(db, {
      ...version,
      name,
      registered_by: principal.subject,
      now: clock.now(),
    });
    const answer: RegisteredPlan = { ...view, newest_version, diagnostics: warnings };
    return c.json(answer, created ? 201 : 200, { location: `/v1/plans/${name}?version=${view.version}` });
  });

  app.get('/:name', requireScope(deps, 'read'), async (c) => {
    const name = readPlanName(c.req);
    const { version } = readQuery(c.req, planQuery);
    const found = await readPlanVersion(db, { name, version });
    return c.json(found === null ? await noPlan(db, name, version) : planDetail(found));
  });

  app.get('/:name/versions', requireScope(deps, 'read'), async (c) => {
    const name = readPlanName(c.req);
    const { limit, cursor } = readQuery(c.req, planVersionsQuery);
    const page = await listPlanVersions(db, { name, limit, before: cursor });
    return c.json(page ?? (await noPlan(db, name, null)));
  });

  return app;
}

async function validateSent(deps: Deps, principal: Principal, asked: AskedPlan): Promise<Validation> {
  const version = await findPlan(deps, principal, asked);
  const { markdown, files } = version;
  const plans = await knowPlans(deps, principal, asked, version);
  const { config, uploads } = asked.fields;
  const inputs = { ...namesOf(uploads), ...config };
  const { plan, diagnostics } = validatePlan(markdown, {
    ...(files === null ? {} : { files }),
    ...(plans === undefined ? {} : { plans }),
    ...(Object.keys(inputs).length === 0 ? {} : { inputs, travelling: Object.keys(uploads) }),
  });
  return {
    valid: !diagnostics.some((diagnostic) => diagnostic.severity === 'error'),
    plan: { name: plan.name, tasks: plan.tasks.map((task) => task.id), inputs: plan.inputs.map(inputView) },
    diagnostics,
  };
}

function readPlanName(request: HonoRequest): string {
  return parseInput(planNameSchema, request.param('name'));
}

async function noPlan(db: Database, name: string, version: number | null): Promise<never> {
  const suggest = version === null ? findNearestName(name, await listPlanNames(db)) : undefined;
  throw new ApiError(
    'not_found',
    `There is no ${version === null ? '' : `version ${version} of a `}plan ${name}.`,
    {
      hint:
        suggest === undefined
          ? 'GET /v1/plans (planfleet plan list) says which there are.'
          : `Did you mean ${suggest}?`,
      details: suggest === undefined ? {} : { suggest },
    },
  );
}

/** Whatever is given for a batch would be forgotten here, which whoever gave it would learn much later. */
function refuseFields({ fields }: SentPlan): void {
  const { config, uploads, ...rest } = fields;
  const given = [...Object.keys(config), ...Object.keys(uploads), ...Object.keys(rest)];
  if (given.length === 0) return;
  throw invalid(
    given
      .slice(0, 20)
      .map((path) => ({ path, message: 'It belongs to a submission; a plan is registered without it.' })),
    'Give it with POST /v1/batches {"plan": "NAME", "config": {...}}.',
  );
}

function planDetail(version: RegisteredVersion): PlanDetail {
  // Registered means that it has no errors; what it is worth today, a submission says.
  const plan = parsePlan(version.markdown);
  return {
    ...toVersionView(version),
    title: plan.name,
    goal: plan.goal,
    inputs: plan.inputs.map((input) => ({ ...inputView(input), description: input.description })),
    tasks: plan.tasks.map((task) => ({
      id: task.id,
      description: task.description,
      task_class: task.task_class,
      depends_on: dependenciesOf(task),
      has_list: task.foreach !== null,
    })),
    files: version.files === null ? null : [...version.files],
    markdown: version.markdown,
  };
}

function inputView({ name, kind, required, default: value }: ParsedPlan['inputs'][number]) {
  return { name, kind, required, default: value };
}

function namesOf(uploads: Readonly<Record<string, { name: string }>>): Record<string, string> {
  return Object.fromEntries(Object.entries(uploads).map(([input, upload]) => [input, upload.name]));
}
