import type { BatchView, ClaimAnswer, Diagnostic, Submitted } from '@planfleet/shared-types';
import { packTar } from 'modern-tar';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { safeBaseName } from '../../../../control-plane/src/plan/bind-inputs.ts';
import { claim, hashOf, planOf, register, submitPlan } from '../../../support/api.ts';
import { bundleForm, fileEntry } from '../../../support/bundles.ts';
import { countBatches, expectRefusal } from '../../../support/expect-refusal.ts';
import { openTestApp, readJson, type TestApp } from '../../../support/test-app.ts';

let server: TestApp;
beforeAll(async () => {
  server = await openTestApp();
});
afterAll(() => server.close());

const MARKDOWN = { 'content-type': 'text/markdown' };

const INPUT_PLAN = `# Plan: Inputs

## Goal
Test.

## Inputs
- **SOURCE**: where from (folder)
- **LIST**: a list (file) (optional)
- **LANGUAGE**: which (default: de)
- **RESULT**: where to (output file) (default: /home/ann/result.csv)
- **REPORT**: where to (output folder) (default: report)

## Tasks
### a
- **command**: \`echo {SOURCE} {LIST} {LANGUAGE} {RESULT} {REPORT}\`
- **task_class**: cpu
`;

describe('a plan.md alone', () => {
  test('becomes a batch', async () => {
    const response = await server.ask(
      'submit',
      'POST',
      '/v1/batches?name=hello&priority=7',
      planOf(['a'], ['b', 'a']),
      MARKDOWN,
    );
    expect(response.status).toBe(201);
    const submitted = await readJson<Submitted>(response);
    expect(submitted).toMatchObject({ plan_name: 'hello', stages: 2, tasks: 2, diagnostics: [] });
    expect(response.headers.get('location')).toBe(submitted.links['self']);
    const batch = await readJson<BatchView>(await server.ask('read', 'GET', submitted.links['self'] ?? ''));
    expect(batch).toMatchObject({
      id: submitted.batch_id,
      plan_name: 'hello',
      state: 'active',
      priority: 7,
      submitted_by: 'tester',
      created_at: '2026-11-22T12:00:00.000Z',
      finished_at: null,
      total: 2,
      // The second one's row is ready, but its stage is not open: people see it waiting.
      ready: 1,
      waiting: 1,
    });
  });

  test('is refused with every diagnostic, and nothing is stored', async () => {
    const broken = planOf(['a', 'nobody'], ['b', 'somebody']);
    const { status, code, problem } = await expectRefusal(server, broken, MARKDOWN);
    expect([status, code]).toEqual([422, 'invalid_plan']);
    const rules = (problem['diagnostics'] as Diagnostic[]).map((diagnostic) => diagnostic.rule);
    expect(rules.filter((rule) => rule === 'unknown_dependency')).toHaveLength(2);
  });

  test('is refused with every input that is missing or unknown', async () => {
    const { code, problem } = await expectRefusal(server, INPUT_PLAN, MARKDOWN, '?LANGUAG=en');
    expect(code).toBe('invalid_plan');
    const errors = (problem['diagnostics'] as Diagnostic[]).filter(({ severity }) => severity === 'error');
    expect(errors.map(({ rule, subject }) => `${rule} ${subject}`).sort()).toEqual([
      'missing_input SOURCE',
      'unknown_input LANGUAG',
    ]);
  });

  test.each([
    ['?priority=11', 'priority'],
    ['?priority=high', 'priority'],
    ['?name=', 'name'],
    ['?input=x', 'input'],
    ['?name=a&name=b', 'name'],
  ])('with %s is refused', async (query, path) => {
    const { status, problem } = await expectRefusal(server, planOf(['a']), MARKDOWN, query);
    expect(status).toBe(422);
    expect(problem['issues']).toMatchObject([{ path }]);
  });

  test.each([
    ['no content type', {}, 415],
    ['what curl sends by itself', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['parameters behind the type', { 'content-type': 'Text/Markdown; charset=utf-8' }, 201],
  ])('with %s', async (_name, headers, status) => {
    const body = new TextEncoder().encode(planOf(['a']));
    expect((await server.ask('submit', 'POST', '/v1/batches', body, headers)).status).toBe(status);
  });

  test('that is not UTF-8 is a bad request', async () => {
    expect((await expectRefusal(server, new Uint8Array([0xff, 0xfe, 0x00]), MARKDOWN)).status).toBe(400);
  });

  test('that is too large is refused before it is read', async () => {
    const huge = 'x'.repeat(server.deps.settings.max_markdown_bytes + 1);
    expect(await expectRefusal(server, huge, MARKDOWN)).toMatchObject({ status: 413, code: 'too_large' });
  });
});

describe('inputs', () => {
  async function bindings(path: string, body: unknown, headers: Record<string, string> = {}) {
    const agent = `agent-${Math.random().toString(36).slice(2)}`;
    const response = await server.ask('submit', 'POST', path, body, headers);
    expect(response.status).toBe(201);
    const { batch_id } = await readJson<Submitted>(response);
    const session = await register(server, agent, { slots: 1_000 });
    const answer: ClaimAnswer = await claim(server, agent, session, { slots: 1_000 });
    return answer.stages.find((stage) => stage.batch_id === batch_id)?.inputs;
  }

  test('take their values, defaults and safe output names', async () => {
    expect(await bindings('/v1/batches?SOURCE=/data&RESULT=C:%5Cx%5Cout.csv', INPUT_PLAN, MARKDOWN)).toEqual({
      SOURCE: { kind: 'value', value: '/data' },
      LIST: { kind: 'value', value: '' },
      LANGUAGE: { kind: 'value', value: 'de' },
      RESULT: { kind: 'output_file', path: 'out.csv' },
      REPORT: { kind: 'output_folder', path: 'report' },
    });
  });

  test('travel when their content was uploaded', async () => {
    const content = new TextEncoder().encode('the folder');
    const sha256 = hashOf(content);
    await server.ask('submit', 'PUT', `/v1/blobs/${sha256}`, content);
    const uploads = {
      SOURCE: { sha256, kind: 'folder', name: 'invoices' },
      LIST: { sha256, kind: 'file', name: '../../etc/passwd' },
    };
    const bundle = await packTar([fileEntry('plan.md', INPUT_PLAN)]);
    const body = bundleForm(bundle, { uploads: JSON.stringify(uploads), config: '{"LANGUAGE": "en"}' });
    expect(await bindings('/v1/batches', body)).toMatchObject({
      SOURCE: { kind: 'folder', sha256 },
      LIST: { kind: 'file', sha256, file_name: 'passwd' },
      LANGUAGE: { kind: 'value', value: 'en' },
    });
  });

  test('are refused, all at once, when uploads or outputs do not fit', async () => {
    const sha256 = '0'.repeat(64);
    const uploads = {
      SOURCE: { sha256, kind: 'file', name: 'x' },
      LANGUAGE: { sha256, kind: 'file', name: 'x' },
    };
    const fields = { uploads: JSON.stringify(uploads), config: '{"RESULT": "a/report"}' };
    const { status, problem } = await expectRefusal(
      server,
      bundleForm(await packTar([fileEntry('plan.md', INPUT_PLAN)]), fields),
    );
    expect(status).toBe(422);
    expect((problem['issues'] as { path: string }[]).map(({ path }) => path)).toEqual([
      'uploads.SOURCE',
      'uploads.LANGUAGE',
      'config.REPORT',
    ]);
  });

  test('whose content was not uploaded are refused by name', async () => {
    const uploads = { SOURCE: { sha256: 'a'.repeat(64), kind: 'folder', name: 'x' } };
    const fields = { uploads: JSON.stringify(uploads) };
    const { status, problem } = await expectRefusal(
      server,
      bundleForm(await packTar([fileEntry('plan.md', INPUT_PLAN)]), fields),
    );
    expect(status).toBe(422);
    expect(problem['issues']).toMatchObject([{ path: 'uploads.SOURCE' }]);
  });

  test.each([
    ['/home/ann/out.csv', 'out.csv'],
    ['out/', 'out'],
    ['..', 'NAME'],
    ['', 'NAME'],
    ['a\nb\u0000', 'a_b_'],
    ['-rf', 'rf'],
    ['büro ☃.txt', 'büro ☃.txt'],
    ['x'.repeat(300), 'x'.repeat(100)],
  ])('the safe name of %j is %j', (path, name) => {
    expect(safeBaseName(path, 'NAME')).toBe(name);
  });
});

describe('a token with plan globs', () => {
  async function submitAs(plans: string[], query: string) {
    const authorization = `Bearer ${await server.token(['submit'], { plans })}`;
    return server.app.request(`/v1/batches${query}`, {
      method: 'POST',
      headers: { authorization, ...MARKDOWN },
      body: planOf(['a']),
    });
  }

  test.each([
    [['Test'], '', 201],
    [['T*'], '?name=Test2', 201],
    [['Other'], '', 403],
    [['Other'], '?name=Other', 403],
    [['Test'], '?name=Other', 403],
    [[], '', 403],
  ])('%j on %j is %i', async (plans, query, status) => {
    expect((await submitAs(plans, query)).status).toBe(status);
  });
});

describe('validation', () => {
  test('tells what is wrong without storing anything', async () => {
    const before = await countBatches(server);
    const response = await server.ask(
      'submit',
      'POST',
      '/v1/plans/validate',
      planOf(['a', 'nobody']),
      MARKDOWN,
    );
    expect(response.status).toBe(200);
    expect(await readJson(response)).toMatchObject({ valid: false, plan: { name: 'Test' } });
    expect(await countBatches(server)).toBe(before);
  });

  test('demands no inputs when none are given', async () => {
    const response = await server.ask('submit', 'POST', '/v1/plans/validate', INPUT_PLAN, MARKDOWN);
    expect(await readJson(response)).toMatchObject({ valid: true, diagnostics: [] });
  });

  test('knows the files of a bundle', async () => {
    const markdown = planOf(['a']).replace('echo a', 'python {PLAN_PATH}/scripts/missing.py');
    const body = bundleForm(await packTar([fileEntry('plan.md', markdown)]));
    const response = await server.ask('submit', 'POST', '/v1/plans/validate', body);
    expect((await readJson<{ diagnostics: unknown[] }>(response)).diagnostics).not.toEqual([]);
  });
});

test('batches of the same second have different ids', async () => {
  const ids = [await submitPlan(server, planOf(['a'])), await submitPlan(server, planOf(['a']))].map(
    ({ batch_id }) => batch_id,
  );
  expect(new Set(ids).size).toBe(2);
});
