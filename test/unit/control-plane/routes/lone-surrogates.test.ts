import { packTar } from 'modern-tar';
import { expect, test } from 'vitest';
import { claim, hashOf, planOf, register, registration, report, submitPlan } from '../../../support/api.ts';
import { openTestApp, readJson, type TestApp } from '../../../support/test-app.ts';

const LONE = '\ud800';
const FIELDS = ['boot_id', 'hostname', 'version', 'storage'] as const;

const PLAN = `# Plan: Odd

## Goal
Test.

## Inputs
- **WORD**: a word
- **DATA**: data (file)

## Tasks
### each
- **command**: \`echo {ITEM.id} {WORD} {DATA}\`
- **task_class**: cpu
- **foreach**: \`[{"id": "\\ud800", "\\ud800": "\\udfff"}]\`
`;

/** Half a surrogate pair in a string that reaches JSON in the database ends the process, so each is tried alone. */
test('half a surrogate pair in any string of any request harms nothing', async () => {
  const server = await openTestApp();
  try {
    for (const field of FIELDS) {
      const odd = `odd-text-${LONE}`;
      await register(server, `agent-${field.replace('_', '-')}`, { [field]: odd });
    }
    await submitOddly(server);
    await reportOddly(server);
    await server.ask('admin', 'POST', '/v1/tokens', {
      subject: LONE,
      scopes: ['submit'],
      plans: [`${LONE}*`],
    });
    for (const path of await everyAddress(server)) {
      const response = await server.ask(path.includes('tokens') ? 'admin' : 'read', 'GET', path);
      const body = await response.text();
      expect([path, response.status, body.includes('\\ud800')]).toEqual([path, 200, false]);
    }
    expect(server.log.filter((entry) => entry.level === 'error')).toEqual([]);
  } finally {
    await server.close();
  }
});

async function submitOddly(server: TestApp): Promise<void> {
  const data = 'data';
  const size = new TextEncoder().encode(PLAN).length;
  const bundle = new Blob([
    new Uint8Array(await packTar([{ header: { name: 'plan.md', size }, body: PLAN }])),
  ]);
  await server.ask('agent', 'PUT', `/v1/blobs/${hashOf(data)}`, data);
  const form = new FormData();
  form.set('bundle', bundle);
  form.set('name', LONE);
  form.set('config', `{"WORD": "\\ud800"}`);
  form.set('uploads', `{"DATA": {"sha256": "${hashOf(data)}", "kind": "file", "name": "\\ud800"}}`);
  const submitted = await server.ask('submit', 'POST', '/v1/batches', form);
  expect([submitted.status, await submitted.text()]).toEqual([201, expect.any(String)]);
  const unknown = new FormData();
  unknown.set('bundle', bundle);
  unknown.set('uploads', `{"\\ud800": {"sha256": "${hashOf(data)}", "kind": "file", "name": "a"}}`);
  expect((await server.ask('submit', 'POST', '/v1/batches', unknown)).status).toBe(422);
  // In an address it can only be written as bytes that are no UTF-8.
  const query = '?name=%ED%A0%80&WORD=%ED%A0%80';
  const markdown = PLAN.replace('- **DATA**: data (file)\n', '').replace(' {DATA}', '');
  await submitPlan(server, markdown, query);
}

async function reportOddly(server: TestApp): Promise<void> {
  const session = await register(server, 'reporter', { slots: 100 });
  await submitPlan(server, planOf(['a'], ['b'], ['c'], ['d']));
  const { leases } = await claim(server, 'reporter', session, { slots: 100 });
  expect(leases.length).toBeGreaterThanOrEqual(6);
  await server.ask('agent', 'PUT', `/v1/blobs/${hashOf('')}`, '');
  const changes = [
    { tail: LONE },
    { message: LONE, outcome: 'failed', error_type: 'worker' },
    { signal: LONE, outcome: 'failed', error_type: 'worker' },
    { files: [{ path: `${LONE}/${LONE}`, sha256: hashOf(''), size: 0, mode: 0o644 }] },
  ] as const;
  for (const [index, lease] of leases.entries()) {
    const change = changes[index % changes.length];
    const files = change !== undefined && 'files' in change ? [...change.files] : [];
    const response = await server.ask('agent', 'POST', '/v1/agents/reporter/results', {
      session,
      reports: [report(lease, { ...change, files })],
      claim: null,
    });
    expect(await readJson(response)).toMatchObject({ results: ['accepted'] });
  }
  for (const change of [{ name: LONE }, { labels: [`a${LONE}`] }]) {
    const body = { ...registration('reporter'), ...change };
    expect((await server.ask('agent', 'POST', '/v1/agents/register', body)).status).toBe(422);
  }
}

async function everyAddress(server: TestApp): Promise<string[]> {
  const addresses = ['/healthz', '/v1/agents', '/v1/batches', '/v1/tokens'];
  const batches = await readJson<{ items: { id: string }[] }>(await server.ask('read', 'GET', '/v1/batches'));
  for (const { id } of batches.items) {
    const self = `/v1/batches/${id}`;
    addresses.push(self, `${self}/stages`, `${self}/tasks`, `${self}/files`);
    const tasks = await readJson<{ items: { id: string }[] }>(
      await server.ask('read', 'GET', `${self}/tasks`),
    );
    for (const task of tasks.items) addresses.push(`/v1/tasks/${task.id}`);
  }
  return addresses;
}
