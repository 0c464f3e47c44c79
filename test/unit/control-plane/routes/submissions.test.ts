import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { BatchView, ClaimAnswer, Diagnostic, Submitted } from '@planfleet/shared-types';
import { packTar, type TarEntry } from 'modern-tar';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { safeBaseName } from '../../../../control-plane/src/plan/bind-inputs.ts';
import { claim, hashOf, planOf, register, submitPlan } from '../../../support/api.ts';
import { openTestApp, readJson, readProblem, type TestApp } from '../../../support/test-app.ts';

let server: TestApp;
beforeAll(async () => {
  server = await openTestApp({
    settings: { max_bundle_bytes: 200_000, max_unpacked_bytes: 1_000_000, max_bundle_entries: 50 },
  });
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

const file = (name: string, body: string | Uint8Array = 'x'): TarEntry => {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  return { header: { name, size: bytes.length, type: 'file' }, body: bytes };
};
const plan = file('plan.md', planOf(['a']));

function form(bundle: Uint8Array | null, fields: Record<string, string> = {}): FormData {
  const data = new FormData();
  if (bundle !== null) data.append('bundle', new Blob([new Uint8Array(bundle)]), 'plan.tgz');
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  return data;
}

async function countBatches(): Promise<number> {
  const page = await readJson<{ items: unknown[] }>(await server.ask('read', 'GET', '/v1/batches?limit=500'));
  return page.items.length;
}

async function refuse(body: unknown, headers?: Record<string, string>, query = '') {
  const before = await countBatches();
  const response = await server.ask('submit', 'POST', `/v1/batches${query}`, body, headers);
  expect(await countBatches()).toBe(before);
  const problem = await readProblem(response);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  return { status: response.status, code: problem.code, problem };
}

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
    const { status, code, problem } = await refuse(broken, MARKDOWN);
    expect([status, code]).toEqual([422, 'invalid_plan']);
    const rules = (problem['diagnostics'] as Diagnostic[]).map((diagnostic) => diagnostic.rule);
    expect(rules.filter((rule) => rule === 'unknown_dependency')).toHaveLength(2);
  });

  test('is refused with every input that is missing or unknown', async () => {
    const { code, problem } = await refuse(INPUT_PLAN, MARKDOWN, '?LANGUAG=en');
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
    const { status, problem } = await refuse(planOf(['a']), MARKDOWN, query);
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
    expect((await refuse(new Uint8Array([0xff, 0xfe, 0x00]), MARKDOWN)).status).toBe(400);
  });

  test('that is too large is refused before it is read', async () => {
    const huge = 'x'.repeat(server.deps.settings.max_markdown_bytes + 1);
    expect(await refuse(huge, MARKDOWN)).toMatchObject({ status: 413, code: 'too_large' });
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
    const bundle = await packTar([file('plan.md', INPUT_PLAN)]);
    const body = form(bundle, { uploads: JSON.stringify(uploads), config: '{"LANGUAGE": "en"}' });
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
    const { status, problem } = await refuse(form(await packTar([file('plan.md', INPUT_PLAN)]), fields));
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
    const { status, problem } = await refuse(form(await packTar([file('plan.md', INPUT_PLAN)]), fields));
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

describe('a bundle', () => {
  test.each([
    ['plain'],
    ['gzipped'],
  ])('%s becomes a batch, and can be fetched by its digest', async (kind) => {
    const tar = await packTar([plan, file('scripts/x.py')]);
    const bundle = kind === 'plain' ? tar : gzipSync(tar);
    const response = await server.ask(
      'submit',
      'POST',
      '/v1/batches',
      form(bundle, { name: 'b', priority: '3' }),
    );
    expect(response.status).toBe(201);
    const blob = await server.ask('agent', 'GET', `/v1/blobs/${hashOf(bundle)}`);
    expect(hashOf(new Uint8Array(await blob.arrayBuffer()))).toBe(hashOf(bundle));
  });

  test.each([
    'gnu',
    'ustar',
    'pax',
    'v7',
    'oldgnu',
  ])('made by tar in its %s format is taken', async (format) => {
    const folder = mkdtempSync(join(tmpdir(), 'planfleet-bundle-'));
    mkdirSync(join(folder, 'scripts', 'deep'), { recursive: true });
    writeFileSync(join(folder, 'plan.md'), planOf(['a']));
    writeFileSync(join(folder, 'scripts', 'deep', `${'n'.repeat(format === 'v7' ? 20 : 90)}.py`), 'print()');
    const tar = execFileSync('tar', [`--format=${format}`, '-czf', '-', '-C', folder, '.']);
    rmSync(folder, { recursive: true });
    const response = await server.ask('submit', 'POST', '/v1/batches', form(tar));
    expect([response.status, await response.text()]).toEqual([201, expect.anything()]);
  });

  test('with a link made by tar is refused', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'planfleet-bundle-'));
    writeFileSync(join(folder, 'plan.md'), planOf(['a']));
    symlinkSync('/etc/passwd', join(folder, 'data'));
    const tar = execFileSync('tar', ['-czf', '-', '-C', folder, '.']);
    rmSync(folder, { recursive: true });
    const { code, problem } = await refuse(form(tar));
    expect(code).toBe('invalid_bundle');
    expect(problem).toMatchObject({ entry: './data', hint: expect.stringContaining('tar') });
  });

  const link = (type: 'symlink' | 'link'): TarEntry => ({
    header: { name: 'l', size: 0, type, linkname: '/etc/passwd' },
  });
  const device = (type: 'fifo' | 'character-device'): TarEntry => ({ header: { name: 'd', size: 0, type } });
  test.each<[string, TarEntry[], RegExp]>([
    ['a path out of the folder', [plan, file('../evil')], /leads out.*\.\.\/evil/],
    ['a path out of the folder, hidden', [plan, file('a/../../evil')], /leads out/],
    ['an absolute path', [plan, file('/etc/passwd')], /absolute.*\/etc\/passwd/],
    ['a symbolic link', [plan, link('symlink')], /symbolic link: l/],
    ['a hard link', [plan, link('link')], /hard link: l/],
    ['a pipe', [plan, device('fifo')], /neither file nor folder/],
    ['a device', [plan, device('character-device')], /neither file nor folder/],
    ['the same path twice', [plan, file('a'), file('./a')], /twice/],
    ['two plans', [plan, plan], /twice/],
    ['a file in a file', [plan, file('a'), file('a/b')], /also has a folder/],
    ['a folder over a file', [plan, file('a/b'), file('a')], /twice/],
    ['a name that is too long', [plan, file(`${'n'.repeat(256)}/x`)], /too long/],
    [
      'too many entries',
      [plan, ...Array.from({ length: 60 }, (_, i) => file(`f${i}`))],
      /more than 50 entries/,
    ],
    ['no plan', [file('other.md')], /no plan\.md/],
    ['nothing', [], /no plan\.md|not a tar/],
    ['too much', [plan, file('big', new Uint8Array(1_100_000))], /unpacks to more than/],
  ])('with %s is refused', async (_name, entries, message) => {
    const { status, code, problem } = await refuse(form(gzipSync(await packTar(entries))));
    expect([status, code]).toEqual([422, 'invalid_bundle']);
    expect(problem.detail).toMatch(message);
  });

  test('packed as a folder is told how to pack it', async () => {
    const { problem } = await refuse(form(await packTar([file('demo/plan.md'), file('demo/x')])));
    expect(problem.hint).toContain('-C demo .');
  });

  const half = (bytes: Uint8Array) => bytes.subarray(0, Math.floor(bytes.length / 2));
  test.each<[string, () => Promise<Uint8Array>]>([
    ['text', async () => new TextEncoder().encode('# Plan: no tar at all')],
    ['nothing at all', async () => new Uint8Array()],
    ['zeros', async () => new Uint8Array(10_240)],
    ['half a gzip', async () => half(gzipSync(await packTar([plan, file('x', 'y'.repeat(5_000))])))],
    ['half a tar', async () => half(await packTar([plan, file('x', 'y'.repeat(9_000))]))],
    ['a gzip of no tar', async () => gzipSync('hello')],
    ['a gzip header and no more', async () => new Uint8Array([0x1f, 0x8b])],
    ['a gzip with a flipped bit', async () => flip(gzipSync(await packTar([plan])))],
  ])('of %s is refused', async (_name, make) => {
    const { status, code } = await refuse(form(await make()));
    expect([status, code]).toEqual([422, 'invalid_bundle']);
  });

  test('that would unpack to gigabytes is given up early', async () => {
    const head = await packTar([{ header: { name: 'plan.md', size: 4, type: 'file' }, body: 'none' }]);
    const tar = new Uint8Array(150_000_000);
    tar.set(head.subarray(0, 1_024));
    const bomb = gzipSync(tar);
    expect(bomb.length).toBeLessThan(200_000);
    const started = performance.now();
    const { code, problem } = await refuse(form(bomb));
    expect([code, problem.detail]).toEqual([
      'invalid_bundle',
      expect.stringMatching(/unpacks to more|not a tar/),
    ]);
    expect(performance.now() - started).toBeLessThan(300);
  });

  test('over the limit is 413', async () => {
    expect((await refuse(form(new Uint8Array(250_000)))).status).toBe(413);
    expect((await refuse(form(new Uint8Array(2_000_000)))).status).toBe(413);
  });

  test('with unknown, doubled or missing fields is refused, all named', async () => {
    const doubled = form(await packTar([plan]), { colour: 'red', config: '{}' });
    doubled.append('config', '{}');
    const { status, problem } = await refuse(doubled);
    expect(status).toBe(422);
    expect((problem['issues'] as { path: string }[]).map(({ path }) => path)).toEqual(['colour', 'config']);
    expect((await refuse(form(null, { config: '{}' }))).problem['issues']).toMatchObject([
      { path: 'bundle' },
    ]);
  });

  test.each([
    [{ config: '{' }, 400],
    [{ config: '[]' }, 422],
    [{ config: '{"lower": "x"}' }, 422],
    [{ config: '{"A": {}}' }, 422],
    [{ uploads: '{"A": {}}' }, 422],
    [{ uploads: 'null' }, 422],
    [{ priority: '0' }, 422],
    [{ name: 'x'.repeat(300) }, 422],
  ])('with the fields %j is %i', async (fields, status) => {
    expect(
      (await refuse(form(await packTar([plan]), fields as unknown as Record<string, string>))).status,
    ).toBe(status);
  });

  test.each([
    ['multipart/form-data', 'x'],
    ['multipart/form-data; boundary=b', ''],
    ['multipart/form-data; boundary=b', '--b\r\ngarbage\r\n--b--'],
    ['multipart/form-data; boundary=b', '--b\r\nContent-Disposition: form-data; name="bundle"\r\n\r\n'],
    ['multipart/form-data; boundary=', '----\r\n'],
  ])('in a broken form (%s, %j) is a bad request', async (type, body) => {
    const { status } = await refuse(new TextEncoder().encode(body), { 'content-type': type });
    expect([400, 422]).toContain(status);
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
    const before = await countBatches();
    const response = await server.ask(
      'submit',
      'POST',
      '/v1/plans/validate',
      planOf(['a', 'nobody']),
      MARKDOWN,
    );
    expect(response.status).toBe(200);
    expect(await readJson(response)).toMatchObject({ valid: false, plan: { name: 'Test' } });
    expect(await countBatches()).toBe(before);
  });

  test('demands no inputs when none are given', async () => {
    const response = await server.ask('submit', 'POST', '/v1/plans/validate', INPUT_PLAN, MARKDOWN);
    expect(await readJson(response)).toMatchObject({ valid: true, diagnostics: [] });
  });

  test('knows the files of a bundle', async () => {
    const markdown = planOf(['a']).replace('echo a', 'python {PLAN_PATH}/scripts/missing.py');
    const body = form(await packTar([file('plan.md', markdown)]));
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

function flip(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes);
  const at = Math.floor(copy.length / 2);
  copy[at] = (copy[at] ?? 0) ^ 0x55;
  return copy;
}
