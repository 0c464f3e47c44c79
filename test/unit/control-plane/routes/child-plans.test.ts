import type { BatchView, Diagnostic, Page, Submitted, TaskDetail, Validation } from '@planfleet/shared-types';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claim, planOf, register, report } from '../../../support/api.ts';
import { bundleOf } from '../../../support/bundles.ts';
import { openTestApp, readJson, readProblem, type TestApp } from '../../../support/test-app.ts';

let server: TestApp;
beforeEach(async () => {
  server = await openTestApp();
});
afterEach(() => server.close());

const MARKDOWN = { 'content-type': 'text/markdown' };
const parent = (plan: string, config = '{}') =>
  `# Plan: Parent\n\n## Tasks\n### sub\n- type: execute_plan\n- plan: ${plan}\n- config: \`${config}\`\n`;

/** Runs what was kicked off, as an installation does. */
async function runDeferred(): Promise<void> {
  for (let work = server.deferred.shift(); work !== undefined; work = server.deferred.shift()) await work();
}
const batches = async () =>
  (await readJson<Page<BatchView>>(await server.ask('read', 'GET', '/v1/batches'))).items;
const codes = (diagnostics: unknown) => (diagnostics as Diagnostic[]).map((each) => each.code);

test('a submission starts its children, and a report that ends one ends its task without a tick', async () => {
  const session = await register(server, 'a');
  const form = await bundleOf({ 'plan.md': parent('steps/one'), 'steps/one/plan.md': planOf(['x']) });
  const submitted = await readJson<Submitted>(await server.ask('submit', 'POST', '/v1/batches', form));
  await runDeferred();
  const [lease, ...others] = (await claim(server, 'a', session)).leases;
  expect(others).toEqual([]);
  if (lease === undefined) throw new Error('The child has no task.');
  await server.ask('agent', 'POST', '/v1/agents/a/results', {
    session,
    reports: [report(lease)],
    claim: null,
  });
  await runDeferred();
  expect((await batches()).map((batch) => [batch.state, batch.plan_name, batch.parent])).toEqual([
    ['succeeded', 'Test', `${submitted.batch_id}:sub:0`],
    ['succeeded', 'Parent', null],
  ]);
  const detail = await readJson<TaskDetail>(
    await server.ask('read', 'GET', `/v1/tasks/${submitted.batch_id}:sub:0`),
  );
  expect(detail.child_batch).toBe((await batches())[0]?.id);
  const { items } = await readJson<Page<{ name: string }>>(await server.ask('read', 'GET', '/v1/agents'));
  expect(items.map((agent) => agent.name)).toEqual(['a']);
});

test('a plan.md that is submitted alone executes registered plans only', async () => {
  const post = (plan: string) => server.ask('submit', 'POST', '/v1/batches', parent(plan), MARKDOWN);
  for (const plan of ['steps/one', 'shout']) {
    const refused = await post(plan);
    expect(refused.status).toBe(422);
    expect(codes((await readProblem(refused))['diagnostics'])).toEqual(['PF040']);
  }
  await server.ask('submit', 'PUT', '/v1/plans/shout', planOf(['x']), MARKDOWN);
  expect((await post('shout')).status).toBe(201);
  await runDeferred();
  expect((await batches()).map((batch) => batch.plan_name)).toEqual(['shout', 'Parent']);
});

test('a plan.md without its folder is not blamed for what may be in it', async () => {
  const answer = await server.ask('submit', 'POST', '/v1/plans/validate', parent('steps/one'), MARKDOWN);
  expect(await readJson<Validation>(answer)).toMatchObject({ valid: true });
});

test('a registered plan brings the plans in its folder with it', async () => {
  const bad = await bundleOf({ 'plan.md': parent('one'), 'two/plan.md': planOf(['x']) });
  const refused = await server.ask('submit', 'PUT', '/v1/plans/outer', bad);
  expect(codes((await readProblem(refused))['diagnostics'])).toEqual(['PF040']);
  const good = await bundleOf({ 'plan.md': parent('one'), 'one/plan.md': planOf(['x']) });
  expect((await server.ask('submit', 'PUT', '/v1/plans/outer', good)).status).toBe(201);
  const json = { 'content-type': 'application/json' };
  expect((await server.ask('submit', 'POST', '/v1/batches', { plan: 'outer' }, json)).status).toBe(201);
  // And one level further down.
  expect((await server.ask('submit', 'POST', '/v1/batches', parent('outer'), MARKDOWN)).status).toBe(201);
  await runDeferred();
  expect((await batches()).map((batch) => batch.plan_name).sort()).toEqual([
    'Parent',
    'Test',
    'Test',
    'outer',
    'outer',
  ]);
});

test('a token that may run one plan executes no other registered one through it', async () => {
  await server.ask('submit', 'PUT', '/v1/plans/secret', planOf(['x']), MARKDOWN);
  const token = await server.token(['submit'], { plans: ['Parent'] });
  const post = (plan: string) =>
    server.app.request('/v1/batches', {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, ...MARKDOWN },
      body: parent(plan),
    });
  expect((await post('secret')).status).toBe(403);
  const other = await server.token(['submit'], { plans: ['Parent', 'sec*'] });
  const allowed = await server.app.request('/v1/batches', {
    method: 'POST',
    headers: { authorization: `Bearer ${other}`, ...MARKDOWN },
    body: parent('secret'),
  });
  expect(allowed.status).toBe(201);
});

test('a folder whose plan.md is no text is as good as none, and harms no other plan', async () => {
  const form = await bundleOf({ 'plan.md': planOf(['a']), 'x/plan.md': 'fine' });
  const tar = form.get('bundle') as File;
  const bytes = new Uint8Array(await tar.arrayBuffer());
  bytes.set([0xff, 0xfe], bytes.length - 1_536);
  const broken = new FormData();
  broken.append('bundle', new Blob([bytes]), 'plan.tar');
  expect((await server.ask('submit', 'POST', '/v1/batches', broken)).status).toBe(201);
});
