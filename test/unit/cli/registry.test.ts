import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../../../agent/src/commands/run-cli.ts';
import {
  type FakeControlPlane,
  type FakeRoutes,
  problem,
  startFakeControlPlane,
} from './fake-control-plane.ts';
import { BATCH, page, sampleBatch, sampleDiagnostic, sampleSubmitted } from './sample-answers.ts';
import { createTestTerminal, type TestTerminal } from './test-terminal.ts';

const VERSION = {
  name: 'invoices',
  version: 2,
  digest: '0'.repeat(64),
  registered_by: 'ann',
  created_at: '2026-11-22T14:22:33.000Z',
};
const INPUTS = [
  { name: 'INPUT_FOLDER', kind: 'folder', required: true, default: null },
  { name: 'MODE', kind: 'value', required: false, default: 'fast' },
];

let test: TestTerminal;
let fake: FakeControlPlane;
let routes: FakeRoutes;
beforeEach(async () => {
  test = await createTestTerminal();
  await mkdir(join(test.home, 'invoices'));
  await writeFile(join(test.home, 'invoices', 'plan.md'), '# Plan: Invoice Processor\n');
  await writeFile(join(test.home, 'rates.csv'), 'EUR,1\n');
  routes = {
    'POST /v1/plans/validate': () => ({
      json: { valid: true, diagnostics: [], plan: { name: 'Invoice Processor', tasks: [], inputs: INPUTS } },
    }),
    'POST /v1/batches': () => ({ status: 201, json: sampleSubmitted() }),
    'POST /v1/blobs/missing': ({ body }) => ({ json: { missing: JSON.parse(String(body)).sha256 } }),
    'PUT /v1/blobs/*': () => ({ status: 201 }),
    'PUT /v1/plans/*': () => ({ status: 201, json: { ...VERSION, newest_version: 2, diagnostics: [] } }),
  };
  fake = await startFakeControlPlane(routes);
});
afterEach(async () => {
  await fake.close();
  await test.remove();
});
const run = (...args: string[]) => test.run(...args, '--url', fake.url, '--token', 'tk');
const keys = () => fake.asked('POST /v1/batches').map((request) => request.headers['idempotency-key']);

describe('a submission', () => {
  it('has a key of its own each time, or the one given', async () => {
    for (let i = 0; i < 2; i++) expect(await run('submit', 'invoices')).toBe(0);
    expect(await run('submit', 'invoices', '--idempotency-key', "May's run")).toBe(0);
    const [first, second, third] = keys();
    expect(first).toMatch(/^[0-9a-f-]{36}$/);
    expect(second).not.toBe(first);
    expect(third).toBe("May's run");
  });

  it('is repeated under the same key when the control plane fails for a moment', async () => {
    routes['POST /v1/batches'] = () => {
      const tries = fake.asked('POST /v1/batches').length;
      if (tries === 1) return problem(503, 'busy', 'in a moment');
      return { status: 200, json: sampleSubmitted() };
    };
    expect(await run('submit', 'invoices')).toBe(0);
    expect(keys()).toHaveLength(2);
    expect(new Set(keys()).size).toBe(1);
    expect(test.out[0]).toBe(`Batch ${BATCH} submitted: Invoice Processor, 3 stages`);
  });

  it('that nobody answers in the end says how to repeat it without a second batch', async () => {
    routes['POST /v1/batches'] = () => problem(502, 'busy', 'no gateway');
    expect(await run('submit', 'invoices')).toBe(3);
    expect(keys()).toHaveLength(3);
    expect(test.err.join('\n')).toContain(`--idempotency-key ${keys()[0]}`);
  });

  it('that is refused is not repeated', async () => {
    routes['POST /v1/batches'] = () => problem(422, 'idempotency_mismatch', 'another submission');
    expect(await run('submit', 'invoices', '--idempotency-key', 'k')).toBe(2);
    expect(keys()).toEqual(['k']);
  });

  it.each(['', ' k', 'schlüssel', 'k'.repeat(201)])('takes no key like "%s"', async (key) => {
    expect(await run('submit', 'invoices', '--idempotency-key', key)).toBe(2);
    expect(fake.requests).toEqual([]);
  });
});

describe('submit --plan', () => {
  it('names the plan and sends what travels, nothing else', async () => {
    routes['POST /v1/batches'] = () => ({
      status: 201,
      json: { ...sampleSubmitted(), plan_name: 'invoices', plan_version: 2 },
    });
    const inputs = ['-i', 'INPUT_FOLDER=@invoices', '-i', 'MODE=slow', '--priority', '7', '--name', 'May'];
    expect(await run('submit', '--plan', 'invoices', ...inputs)).toBe(0);
    const [validated] = fake.asked('POST /v1/plans/validate');
    expect(JSON.parse(String(validated?.body))).toEqual({
      plan: 'invoices',
      config: { INPUT_FOLDER: '/invoices', MODE: 'slow' },
    });
    const [request] = fake.asked('POST /v1/batches');
    expect(request?.headers['content-type']).toBe('application/json');
    expect(JSON.parse(String(request?.body))).toEqual({
      plan: 'invoices',
      config: { MODE: 'slow' },
      uploads: {
        INPUT_FOLDER: { kind: 'folder', name: 'invoices', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      },
      priority: 7,
      name: 'May',
    });
    expect(test.out[0]).toBe(`Batch ${BATCH} submitted: invoices (version 2), 3 stages`);
  });

  it('takes a version', async () => {
    await run('submit', '--plan', 'invoices@3');
    expect(JSON.parse(String(fake.asked('POST /v1/batches')[0]?.body))).toMatchObject({
      plan: 'invoices',
      version: 3,
    });
  });

  it('passes on which name was probably meant', async () => {
    routes['POST /v1/plans/validate'] = () =>
      problem(422, 'unknown_plan', 'No plan is registered as invoice.', { hint: 'Did you mean invoices?' });
    expect(await run('submit', '--plan', 'invoice')).toBe(2);
    expect(test.err.join('\n')).toContain('hint: Did you mean invoices?');
  });

  it.each([
    [['submit'], 'no plan is named'],
    [['submit', 'invoices', '--plan', 'invoices'], 'both a plan here'],
    [['submit', '--plan', 'in voices'], 'is not the name of a registered plan'],
    [['submit', '--plan', 'invoices@0'], 'a version is a number from 1'],
    [['submit', '--plan', 'invoices@1@2'], 'a version is a number from 1'],
  ])('%j is a wrong use', async (args, message) => {
    expect(await run(...args)).toBe(2);
    expect(test.err.join('\n')).toContain(message);
    expect(fake.requests).toEqual([]);
  });
});

describe('plan register', () => {
  it('keeps a folder under its own name, or another', async () => {
    expect(await run('plan', 'register', 'invoices')).toBe(0);
    expect(await run('plan', 'register', 'invoices/plan.md')).toBe(0);
    expect(await run('plan', 'register', 'invoices', '--name', 'may')).toBe(0);
    expect(fake.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'PUT /v1/plans/invoices',
      'PUT /v1/plans/invoices',
      'PUT /v1/plans/may',
    ]);
    const form = await fake.requests[0]?.form();
    expect([...(form?.keys() ?? [])]).toEqual(['bundle']);
    expect(test.out.slice(0, 2)).toEqual([
      'Plan invoices is registered: version 2',
      'Submit it: planfleet submit --plan invoices',
    ]);
  });

  it('says when what was there before is not the newest', async () => {
    routes['PUT /v1/plans/*'] = () => ({ json: { ...VERSION, newest_version: 5, diagnostics: [] } });
    await run('plan', 'register', 'invoices');
    expect(test.out.join('\n')).toContain('version 5 is newer');
    expect(test.out.at(-1)).toBe('Submit this one: planfleet submit --plan invoices@2');
  });

  it('prints everything that is wrong with the plan', async () => {
    const diagnostics = [1, 2].map((line) => sampleDiagnostic('error', 'PF001', `wrong ${line}`, [line, 1]));
    routes['PUT /v1/plans/*'] = () => problem(422, 'invalid_plan', 'Line 1: wrong', { diagnostics });
    expect(await run('plan', 'register', 'invoices')).toBe(2);
    const text = test.err.join('\n');
    expect(text).toContain('plan.md:1:1 error PF001 wrong 1');
    expect(text).toContain('plan.md:2:1 error PF001 wrong 2');
    expect(text).toContain('nothing was registered');
  });

  it('asks for a name where the folder has none that fits', async () => {
    await mkdir(join(test.home, 'my plan'));
    await writeFile(join(test.home, 'my plan', 'plan.md'), '# Plan: X\n');
    expect(await run('plan', 'register', 'my plan')).toBe(2);
    expect(test.err.join('\n')).toContain('--name');
    expect(fake.requests).toEqual([]);
  });
});

it('plan list has a line for each, from all pages', async () => {
  routes['GET /v1/plans'] = ({ query }) =>
    query.get('cursor') === null
      ? page([VERSION], 'next')
      : page([{ ...VERSION, name: 'other', version: 1 }]);
  expect(await run('plan', 'list')).toBe(0);
  expect(test.out).toEqual([
    'invoices  version 2  by ann  2026-11-22T14:22:33.000Z',
    'other  version 1  by ann  2026-11-22T14:22:33.000Z',
  ]);
});

it('plan show says what the plan takes and does', async () => {
  const detail = {
    ...VERSION,
    title: 'Invoice Processor',
    goal: 'Read invoices.',
    inputs: INPUTS.map((input) => ({ ...input, description: `the ${input.name}` })),
    tasks: [
      { id: 'scan', description: 'find all', task_class: 'cpu', depends_on: [], has_list: false },
      { id: 'read', description: null, task_class: 'cpu', depends_on: ['scan'], has_list: true },
    ],
    files: ['plan.md', 'scripts/scan.mjs'],
    markdown: '# Plan: Invoice Processor\n',
  };
  routes['GET /v1/plans/invoices'] = () => ({ json: detail });
  expect(await run('plan', 'show', 'invoices@2')).toBe(0);
  expect(fake.requests[0]?.query.get('version')).toBe('2');
  expect(test.out).toEqual([
    'Plan invoices version 2: Invoice Processor',
    'registered by ann at 2026-11-22T14:22:33.000Z, digest 000000000000',
    'Read invoices.',
    'Inputs:',
    '  INPUT_FOLDER  folder  required      the INPUT_FOLDER',
    '  MODE          value   default fast  the MODE',
    'Tasks:',
    '  scan  cpu                            find all',
    '  read  cpu  one per item  after scan',
    'Files besides plan.md:',
    '  scripts/scan.mjs',
  ]);
  await run('plan', 'show', 'invoices', '--markdown');
  expect(test.out.at(-1)).toBe('# Plan: Invoice Processor');
});

describe('delete', () => {
  const terminal = (answer: boolean, asked: string[] = []) => ({
    ...test.terminal,
    confirm: async (question: string) => {
      asked.push(question);
      return answer;
    },
  });
  const args = () => ['delete', BATCH, '--url', fake.url, '--token', 'tk'];
  beforeEach(() => {
    routes[`GET /v1/batches/${BATCH}`] = () => ({
      json: sampleBatch('failed', { total: 14, abandoned: 14 }),
    });
    routes[`DELETE /v1/batches/${BATCH}`] = () => ({ json: { batch_id: BATCH, deleted: true } });
  });

  it('asks at a terminal, naming what goes, and takes no for an answer', async () => {
    const asked: string[] = [];
    expect(await runCli(args(), terminal(false, asked))).toBe(130);
    expect(asked).toEqual([`Delete batch ${BATCH} (Invoice Processor, failed, 14 tasks) for good?`]);
    expect(fake.asked(`DELETE /v1/batches/${BATCH}`)).toHaveLength(0);
    expect(await runCli(args(), terminal(true))).toBe(0);
    expect(fake.asked(`DELETE /v1/batches/${BATCH}`)).toHaveLength(1);
    expect(test.out).toEqual([`Batch ${BATCH} is deleted.`]);
  });

  it('needs --yes where nobody can be asked, and for programs', async () => {
    expect(await run('delete', BATCH)).toBe(2);
    expect(await runCli([...args(), '--json'], terminal(true))).toBe(2);
    expect(fake.requests).toEqual([]);
    expect(await run('delete', BATCH, '--yes')).toBe(0);
    expect(fake.requests).toHaveLength(1);
  });

  it('passes on that the batch has to be cancelled first', async () => {
    routes[`DELETE /v1/batches/${BATCH}`] = () =>
      problem(409, 'conflict', `Batch ${BATCH} has not ended: it is active.`, { hint: 'Cancel it first.' });
    expect(await run('delete', BATCH, '--yes')).toBe(2);
    expect(test.err.join('\n')).toContain('hint: Cancel it first.');
  });
});
