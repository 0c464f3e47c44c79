import type {
  Diagnostic,
  Page,
  PlanDetail,
  PlanVersionView,
  RegisteredPlan,
  Submitted,
} from '@planfleet/shared-types';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { claim, hashOf, planOf, register } from '../../../support/api.ts';
import { bundleOf } from '../../../support/bundles.ts';
import { openTestApp, readJson, readProblem, type TestApp } from '../../../support/test-app.ts';

let server: TestApp;
let name: string;
let count = 0;
beforeAll(async () => {
  server = await openTestApp();
});
afterAll(() => server.close());
beforeEach(() => {
  name = `plan-${count++}`;
});

const MARKDOWN = { 'content-type': 'text/markdown' };

function put(markdown: string, to = name): Promise<Response> {
  return Promise.resolve(server.ask('submit', 'PUT', `/v1/plans/${to}`, markdown, MARKDOWN));
}

const show = async (path: string) =>
  readJson<PlanDetail>(await server.ask('read', 'GET', `/v1/plans/${path}`));
const submit = (body: unknown) =>
  server.ask('submit', 'POST', '/v1/batches', body, { 'content-type': 'application/json' });

describe('registering', () => {
  test('new content makes a new version, the same content keeps the one it has', async () => {
    const first = await put(planOf(['a']));
    expect(first.status).toBe(201);
    expect(first.headers.get('location')).toBe(`/v1/plans/${name}?version=1`);
    expect(await readJson<RegisteredPlan>(first)).toEqual({
      name,
      version: 1,
      digest: hashOf(planOf(['a'])),
      registered_by: 'tester',
      created_at: '2026-11-22T12:00:00.000Z',
      newest_version: 1,
      diagnostics: [],
    });
    expect(await readJson(await put(planOf(['a'], ['b'])))).toMatchObject({ version: 2, newest_version: 2 });
    const again = await put(planOf(['a']));
    expect(again.status).toBe(200);
    expect(await readJson(again)).toMatchObject({ version: 1, newest_version: 2 });
  });

  test('of the same content many times at once makes one version', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => put(planOf(['a']))));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 200, 200, 201]);
    for (const answer of answers) expect(await readJson(answer)).toMatchObject({ version: 1 });
  });

  test('of different contents at once numbers them without gaps', async () => {
    const answers = await Promise.all(['a', 'b', 'c', 'd'].map((id) => put(planOf([id]))));
    const versions = await Promise.all(answers.map((answer) => readJson<RegisteredPlan>(answer)));
    expect(versions.map(({ version }) => version).sort()).toEqual([1, 2, 3, 4]);
  });

  test('a plan with errors is refused with every diagnostic, and nothing is stored', async () => {
    const response = await put(planOf(['a', 'nobody'], ['b', 'somebody']));
    const problem = await readProblem(response);
    expect([response.status, problem.code]).toEqual([422, 'invalid_plan']);
    expect((problem['diagnostics'] as Diagnostic[]).length).toBeGreaterThanOrEqual(2);
    expect((await server.ask('read', 'GET', `/v1/plans/${name}`)).status).toBe(404);
  });

  test('a bundle is there for agents, with its scripts checked', async () => {
    const markdown = planOf(['a']).replace('echo a', 'bash {PLAN_PATH}/scripts/a.sh');
    const missing = await server.ask(
      'submit',
      'PUT',
      `/v1/plans/${name}`,
      await bundleOf({ 'plan.md': markdown }),
    );
    expect((await readProblem(missing)).code).toBe('invalid_plan');
    const form = await bundleOf({ 'plan.md': markdown, 'scripts/a.sh': 'echo a' });
    const response = await server.ask('submit', 'PUT', `/v1/plans/${name}`, form);
    expect(response.status).toBe(201);
    const { digest } = await readJson<RegisteredPlan>(response);
    expect((await server.ask('agent', 'GET', `/v1/blobs/${digest}`)).status).toBe(200);
    expect((await show(name)).files).toEqual(['plan.md', 'scripts/a.sh']);
  });

  test.each([
    ['-x', 422],
    ['x'.repeat(101), 422],
    ['a%20b', 422],
    [`${'x'.repeat(99)}y`, 201],
  ])('under the name %s answers %i', async (bad, status) => {
    expect((await put(planOf([`t${count}`]), bad)).status).toBe(status);
  });

  test('what belongs to a submission is refused, not forgotten', async () => {
    const response = await server.ask(
      'submit',
      'PUT',
      `/v1/plans/${name}?INPUT=x&priority=3`,
      planOf(['a']),
      MARKDOWN,
    );
    const problem = await readProblem(response);
    expect(response.status).toBe(422);
    expect(problem['issues']).toMatchObject([{ path: 'INPUT' }, { path: 'priority' }]);
  });

  test('a token that is restricted to plans registers no other', async () => {
    const token = await server.token(['submit'], { plans: ['mine-*'] });
    const ask = (to: string) =>
      server.app.request(`/v1/plans/${to}`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}`, ...MARKDOWN },
        body: planOf(['a']),
      });
    expect((await ask('yours-1')).status).toBe(403);
    expect((await ask('mine-1')).status).toBe(201);
  });

  test('a plan keeps every character of its text', async () => {
    const markdown = `${planOf(['a'])}\n<!-- \u0000 ü 😀 \r\n -->\n`;
    expect((await put(markdown)).status).toBe(201);
    expect((await show(name)).markdown).toBe(markdown);
  });
});

describe('looking at plans', () => {
  test('the newest version is shown, or the one asked for', async () => {
    const described = planOf(['a'], ['b', 'a'])
      .replace('## Tasks', '## Inputs\n- **SOURCE**: where from\n\n## Tasks')
      .replace('echo a', 'echo {SOURCE}');
    await put(planOf(['old']));
    await put(described);
    const plan = await show(name);
    expect(plan).toMatchObject({
      name,
      version: 2,
      title: 'Test',
      goal: 'Test.',
      inputs: [{ name: 'SOURCE', kind: 'value', required: true, default: null, description: 'where from' }],
      tasks: [
        { id: 'a', depends_on: [], has_list: false },
        { id: 'b', depends_on: ['a'], has_list: false },
      ],
      files: null,
      markdown: described,
    });
    expect((await show(`${name}?version=1`)).tasks.map(({ id }) => id)).toEqual(['old']);
  });

  test.each(['', '?version=9', '/versions'])('one that is not there is 404 (%s)', async (rest) => {
    if (rest === '?version=9') await put(planOf(['a']));
    const response = await server.ask('read', 'GET', `/v1/plans/${name}${rest}`);
    expect([response.status, (await readProblem(response)).code]).toEqual([404, 'not_found']);
  });

  test('one that is not there is told with the name that was probably meant', async () => {
    await put(planOf(['a']), 'summarizer');
    const problem = await readProblem(await server.ask('read', 'GET', '/v1/plans/sumarizer'));
    expect([problem.hint, problem['suggest']]).toEqual(['Did you mean summarizer?', 'summarizer']);
  });

  test('the list has the newest version of each, by name', async () => {
    for (const text of ['a', 'b', 'c']) await put(planOf([text]), `${name}-many`);
    await put(planOf(['a']), `${name}-one`);
    const { items } = await readJson<Page<PlanVersionView>>(
      await server.ask('read', 'GET', '/v1/plans?limit=500'),
    );
    const mine = items.filter((plan) => plan.name.startsWith(`${name}-`));
    expect(mine.map((plan) => [plan.name, plan.version])).toEqual([
      [`${name}-many`, 3],
      [`${name}-one`, 1],
    ]);
  });

  test('versions are listed newest first', async () => {
    for (const text of ['a', 'b', 'c']) await put(planOf([text]));
    const first = await readJson<Page<PlanVersionView>>(
      await server.ask('read', 'GET', `/v1/plans/${name}/versions?limit=2`),
    );
    expect(first.items.map(({ version }) => version)).toEqual([3, 2]);
    const rest = await readJson<Page<PlanVersionView>>(
      await server.ask('read', 'GET', `/v1/plans/${name}/versions?cursor=${first.next_cursor}`),
    );
    expect([rest.items.map(({ version }) => version), rest.next_cursor]).toEqual([[1], null]);
  });
});

describe('a submission by name', () => {
  test('runs the newest version, or the one asked for, with inputs and priority', async () => {
    await put(planOf(['old']));
    const form = await bundleOf({
      'plan.md': planOf(['a'], ['b', 'a'])
        .replace('## Tasks', '## Inputs\n- **SOURCE**: where from\n\n## Tasks')
        .replace('echo a', 'echo {SOURCE}'),
    });
    const { digest } = await readJson<RegisteredPlan>(
      await server.ask('submit', 'PUT', `/v1/plans/${name}`, form),
    );
    const response = await submit({ plan: name, config: { SOURCE: '/data' }, priority: 10 });
    expect(response.status).toBe(201);
    const submitted = await readJson<Submitted>(response);
    expect(submitted).toMatchObject({ plan_name: name, plan_version: 2, stages: 2, tasks: 2 });
    const session = await register(server, 'one');
    const { stages } = await claim(server, 'one', session, { slots: 1 });
    expect(stages).toMatchObject([
      {
        batch_id: submitted.batch_id,
        plan_digest: digest,
        bundle: digest,
        inputs: { SOURCE: { kind: 'value', value: '/data' } },
      },
    ]);
    const older = await readJson<Submitted>(await submit({ plan: name, version: 1, name: 'again' }));
    expect(older).toMatchObject({ plan_name: 'again', plan_version: 1, stages: 1 });
  });

  test('of a plan that is not there says which one was probably meant', async () => {
    await put(planOf(['a']), 'transcriber');
    const response = await submit({ plan: 'transcibers' });
    const problem = await readProblem(response);
    expect(response.status).toBe(422);
    expect(problem).toMatchObject({
      code: 'unknown_plan',
      plan: 'transcibers',
      suggest: 'transcriber',
      hint: 'Did you mean transcriber?',
    });
  });

  test('of a version that is not there says which is the newest', async () => {
    await put(planOf(['a']));
    const problem = await readProblem(await submit({ plan: name, version: 7 }));
    expect(problem).toMatchObject({ code: 'unknown_plan', newest_version: 1 });
  });

  test('a wrong name tells a restricted token nothing of plans that it may not run', async () => {
    await put(planOf(['a']), 'secretive');
    const token = await server.token(['submit'], { plans: ['secretiv', 'public'] });
    const ask = (plan: string) =>
      server.app.request('/v1/batches', {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ plan }),
      });
    expect((await ask('secretive')).status).toBe(403);
    expect(JSON.stringify(await readProblem(await ask('secretiv')))).not.toContain('secretive');
    await put(planOf(['a']), 'public');
    expect((await ask('public')).status).toBe(201);
  });

  test('is refused with every input that is missing or unknown', async () => {
    await put(
      planOf(['a'])
        .replace('## Tasks', '## Inputs\n- **SOURCE**: where from\n\n## Tasks')
        .replace('echo a', 'echo {SOURCE}'),
    );
    const problem = await readProblem(await submit({ plan: name, config: { SORCE: 'x' } }));
    const errors = (problem['diagnostics'] as Diagnostic[]).filter(({ severity }) => severity === 'error');
    expect(errors.map(({ rule }) => rule).sort()).toEqual(['missing_input', 'unknown_input']);
  });

  test.each<[string, unknown, number]>([
    ['without a name', { config: {} }, 422],
    ['with an unknown field', { plan: 'x', colour: 'red' }, 422],
    ['with a version that is none', { plan: 'x', version: 0 }, 422],
    ['with a name that is none', { plan: '../x' }, 422],
    ['with a priority out of range', { plan: 'x', priority: 11 }, 422],
    ['that is no JSON', '{', 400],
    ['that is a list', [], 422],
  ])('%s is refused', async (_name, body, status) => {
    expect((await submit(body)).status).toBe(status);
  });

  test('takes no inputs from the address', async () => {
    const response = await server.ask(
      'submit',
      'POST',
      '/v1/batches?SOURCE=x',
      { plan: 'x' },
      { 'content-type': 'application/json' },
    );
    expect((await readProblem(response))['issues']).toMatchObject([{ path: 'SOURCE' }]);
  });

  test('can be validated before anything is sent', async () => {
    await put(planOf(['a']));
    const headers = { 'content-type': 'application/json' };
    const response = await server.ask(
      'submit',
      'POST',
      '/v1/plans/validate',
      { plan: name, config: { X: '1' } },
      headers,
    );
    expect(await readJson(response)).toMatchObject({
      valid: false,
      diagnostics: [{ rule: 'unknown_input' }],
    });
  });
});
