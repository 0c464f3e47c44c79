import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { create } from 'tar';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeInvoices, readDemoInvoices } from '../../plans/demo/make-invoices.mjs';
import { Fleet } from '../support/fleet.ts';

const fleet = new Fleet();
let token: string;

beforeAll(async () => {
  await fleet.startServer();
  token = await fleet.adminToken();
});
afterAll(() => fleet.close());

const GOOD = '# Plan: Good\n\n## Tasks\n\n### a\n- **task_class**: cpu\n- **command**: `true`\n';

async function batchCount(): Promise<number> {
  return (await fleet.get<{ items: unknown[] }>('/v1/batches')).items.length;
}

test('a plan with errors: the CLI prints all of them with line and column, exits 2, and nothing is stored', async () => {
  const folder = fleet.makeFolder('bad plan');
  writeFileSync(
    `${folder}/plan.md`,
    [
      '# Plan: Bad',
      '',
      '## Tasks',
      '',
      '### a',
      '- **task_class**: cpu',
      '- **command**: `echo {NOBODY}`',
      '- **depends_on**: c',
      '- **priority**: 11',
      '',
      '### b',
      '- **task_class**: cpu',
      '- **command**: `echo "open`',
      '',
      '### a',
      '- **task_class**: cpu',
      '- **command**: `true`',
      '',
    ].join('\n'),
  );
  for (const command of ['submit', 'validate']) {
    const result = await fleet.cli([command, folder], token);
    expect(result.code).toBe(2);
    const text = result.stdout + result.stderr;
    for (const place of ['plan.md:7:', 'plan.md:8:', 'plan.md:9:', 'plan.md:13:', 'plan.md:15:'])
      expect(text).toContain(place);
    expect(text).toMatch(/NOBODY/);
  }
  expect(await batchCount()).toBe(0);
});

describe('bundles that are refused', () => {
  async function submitBundle(
    bytes: Buffer,
  ): Promise<{ status: number; problem: { code: string; detail: string } }> {
    const form = new FormData();
    form.append('bundle', new Blob([new Uint8Array(bytes)]), 'plan.tgz');
    const response = await fleet.request('/v1/batches', { method: 'POST', body: form });
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    return { status: response.status, problem: (await response.json()) as { code: string; detail: string } };
  }

  async function pack(folder: string, entries: string[]): Promise<Buffer> {
    const file = fleet.path('bundle.tgz');
    await create({ gzip: true, cwd: folder, file }, entries);
    return readFileSync(file);
  }

  test.each([
    ['a path that climbs out', '../evil.sh'],
    ['an absolute path', '/tmp/evil.sh'],
  ])('%s', async (_what, path) => {
    const folder = fleet.makeFolder('climb', 'inner');
    writeFileSync(`${folder}/plan.md`, GOOD);
    // A tar that no packer writes: the entry is renamed in its header, and the header's checksum made right again.
    const harmless = 'x'.repeat(path.length);
    writeFileSync(`${folder}/${harmless}`, 'x');
    const bytes = await pack(folder, ['plan.md', harmless]);
    const tar = gunzipSync(bytes);
    const at = tar.indexOf(`${harmless}\0`);
    tar.write(path, at, 'latin1');
    tar.fill(' ', at + 148, at + 156);
    let sum = 0;
    for (let n = 0; n < 512; n++) sum += tar[at + n] ?? 0;
    tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1');
    const { status, problem } = await submitBundle(gzipSync(tar));
    expect([status, problem.code]).toEqual([422, 'invalid_bundle']);
    expect(problem.detail).toContain(path);
  });

  test('a symbolic link', async () => {
    const folder = fleet.makeFolder('link');
    writeFileSync(`${folder}/plan.md`, GOOD);
    symlinkSync('/etc/passwd', `${folder}/secret`);
    const { status, problem } = await submitBundle(await pack(folder, ['plan.md', 'secret']));
    expect([status, problem.code]).toEqual([422, 'invalid_bundle']);
    expect(problem.detail).toContain('secret');
  });

  test('not a tar, and a tar without plan.md', async () => {
    const folder = fleet.makeFolder('noplan');
    writeFileSync(`${folder}/readme.txt`, 'x');
    for (const bytes of [Buffer.from('PK not a tar at all'), await pack(folder, ['readme.txt'])]) {
      const { status, problem } = await submitBundle(bytes);
      expect([status, problem.code]).toEqual([422, 'invalid_bundle']);
    }
  });

  test('nothing of them is stored', async () => {
    expect(await batchCount()).toBe(0);
  });
});

test('unknown fields, wrong types and wrong tokens are 4xx problem documents', async () => {
  const json = { 'content-type': 'application/json' };
  const register = {
    protocol: 1,
    name: 'x',
    boot_id: '12345678',
    started_at: 1,
    hostname: 'h',
    version: '1',
    slots: 1,
    labels: [],
    storage: 's',
    have: [],
  };
  const cases: [string, RequestInit, number][] = [
    [
      '/v1/agents/register',
      { method: 'POST', headers: json, body: JSON.stringify({ ...register, surprise: 1 }) },
      422,
    ],
    [
      '/v1/agents/register',
      { method: 'POST', headers: json, body: JSON.stringify({ ...register, slots: 'many' }) },
      422,
    ],
    ['/v1/agents/register', { method: 'POST', headers: json, body: '{"protocol":' }, 400],
    [
      '/v1/agents/register',
      { method: 'POST', headers: json, body: JSON.stringify({ ...register, protocol: 0 }) },
      426,
    ],
    ['/v1/batches?x=1', { headers: {} }, 422],
    ['/v1/batches/20990101_000000', {}, 404],
    ['/v1/tasks/nonsense', {}, 404],
    ['/v1/nothing', {}, 404],
    ['/v1/batches', { headers: { authorization: 'Bearer nonsense' } }, 401],
    ['/v1/batches', { headers: { authorization: '' } }, 401],
  ];
  for (const [path, init, status] of cases) {
    const response = await fleet.request(path, init);
    expect([path, response.status, response.headers.get('content-type')]).toEqual([
      path,
      status,
      expect.stringContaining('application/problem+json'),
    ]);
  }
  const reader = await fleet.makeToken(['read']);
  const refused = await fleet.request('/v1/batches?name=x', {
    method: 'POST',
    body: GOOD,
    headers: { authorization: `Bearer ${reader}`, 'content-type': 'text/markdown' },
  });
  expect(refused.status).toBe(403);
  const bound = await fleet.makeToken(['agent'], ['--agent', 'mine']);
  const other = await fleet.request('/v1/agents/other/claim', {
    method: 'POST',
    headers: { ...json, authorization: `Bearer ${bound}` },
    body: JSON.stringify({ session: 1, slots: 1, have: [] }),
  });
  expect(other.status).toBe(403);
});

test('a PDF that is none: its item is abandoned, the others finish, the batch fails, and the CLI says which and why', async () => {
  await fleet.startAgent('worker', { slots: 2 });
  const plan = fleet.path('invoice_processor');
  cpSync(fileURLToPath(new URL('../../plans/invoice_processor', import.meta.url)), plan, {
    recursive: true,
    filter: (path) => !path.includes('node_modules'),
  });
  const invoices = fleet.makeFolder('invoices');
  mkdirSync(invoices, { recursive: true });
  const data = await readDemoInvoices();
  await makeInvoices(invoices, data.slice(0, 3));
  writeFileSync(`${invoices}/not a pdf.pdf`, 'This is a text file.');
  const result = await fleet.cli(
    [
      'submit',
      plan,
      '-i',
      `INPUT_FOLDER=@${invoices}`,
      '-i',
      `OUTPUT_FILE=${fleet.path('totals.csv')}`,
      '--watch',
    ],
    token,
  );
  expect(result.code).toBe(1);
  const text = result.stdout + result.stderr;
  expect(text).toContain('not a pdf.pdf');
  expect(text).toMatch(/extract/);
  const [batch] = (await fleet.get<{ items: { id: string; state: string }[] }>('/v1/batches')).items;
  expect(batch?.state).toBe('failed');
  const stages = await fleet.stages(batch?.id ?? '');
  expect(stages.get('extract')).toMatchObject({ succeeded: 3, abandoned: 1 });
  const abandoned = (await fleet.tasks(batch?.id ?? '')).find((task) => task.state === 'abandoned');
  expect(abandoned).toMatchObject({ attempts: 3, tries: 3, item: { path: 'not a pdf.pdf' } });
  expect(text).toContain(abandoned?.id ?? '?');
}, 120_000);
