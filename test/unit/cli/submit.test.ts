import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type FakeAnswer,
  type FakeControlPlane,
  type FakeRoutes,
  problem,
  startFakeControlPlane,
} from './fake-control-plane.ts';
import {
  BATCH,
  page,
  sampleAttempt,
  sampleBatch,
  sampleDiagnostic,
  sampleStage,
  sampleSubmitted,
  sampleTask,
} from './sample-answers.ts';
import { createTestTerminal, type TestTerminal } from './test-terminal.ts';

const INPUTS = [
  { name: 'INPUT_FOLDER', kind: 'folder', required: true, default: null },
  { name: 'RATES', kind: 'file', required: false, default: '' },
  { name: 'MODE', kind: 'value', required: false, default: 'fast' },
  { name: 'OUTPUT_FILE', kind: 'output_file', required: true, default: null },
  { name: 'PAGES', kind: 'output_folder', required: false, default: 'pages' },
];
const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');

let test: TestTerminal;
let fake: FakeControlPlane;
let routes: FakeRoutes;
let blobs: Map<string, Buffer>;
let views: FakeAnswer[];
beforeEach(async () => {
  test = await createTestTerminal();
  await mkdir(join(test.home, 'plan', 'scripts'), { recursive: true });
  await writeFile(join(test.home, 'plan', 'plan.md'), '# Plan: Invoice Processor\n');
  await mkdir(join(test.home, 'in voices'));
  await writeFile(join(test.home, 'in voices', 'a b.pdf'), 'pdf');
  await writeFile(join(test.home, 'rates.csv'), 'EUR,1\n');
  blobs = new Map();
  views = [{ json: sampleBatch('succeeded', { total: 2, succeeded: 2 }) }];
  routes = {
    'POST /v1/plans/validate': () => ({
      json: { valid: true, diagnostics: [], plan: { name: 'Invoice Processor', tasks: [], inputs: INPUTS } },
    }),
    'POST /v1/blobs/missing': ({ body }) => ({
      json: { missing: JSON.parse(String(body)).sha256.filter((each: string) => !blobs.has(each)) },
    }),
    'PUT /v1/blobs/*': ({ path, body }) => {
      blobs.set(path.slice('/v1/blobs/'.length), body);
      return { status: 201 };
    },
    'POST /v1/batches': () => ({ status: 201, json: sampleSubmitted() }),
    [`GET /v1/batches/${BATCH}`]: () => (views.length > 1 ? views.shift() : views[0]) ?? {},
    [`GET /v1/batches/${BATCH}/stages`]: () =>
      page([sampleStage('extract', { total: 2, succeeded: 2 }, 'done')]),
    [`GET /v1/batches/${BATCH}/files`]: () => page([]),
  };
  fake = await startFakeControlPlane(routes);
});
afterEach(async () => {
  await fake.close();
  await test.remove();
});
const submit = (...args: string[]) => test.run('submit', 'plan', '--url', fake.url, '--token', 'tk', ...args);
const submitted = async () => fake.asked('POST /v1/batches')[0]?.form();

describe('submit', () => {
  it('sends the plan, its values and what travels, once', async () => {
    const inputs = [
      '-i',
      'INPUT_FOLDER=@in voices',
      '-i',
      'RATES=@rates.csv',
      '-i',
      'OUTPUT_FILE=out/totals.csv',
    ];
    const code = await submit(...inputs, '--config', '{"MODE":"slow"}', '--name', 'May', '--priority', '7');
    expect(test.err.filter((line) => line.startsWith('error'))).toEqual([]);
    expect(code).toBe(0);
    const form = await submitted();
    expect(JSON.parse(String(form?.get('config')))).toEqual({ MODE: 'slow', OUTPUT_FILE: 'out/totals.csv' });
    const uploads = JSON.parse(String(form?.get('uploads')));
    expect(uploads.RATES).toEqual({ sha256: sha256('EUR,1\n'), kind: 'file', name: 'rates.csv' });
    expect(uploads.INPUT_FOLDER).toMatchObject({ kind: 'folder', name: 'in voices' });
    expect([form?.get('name'), form?.get('priority')]).toEqual(['May', '7']);
    const validated = await fake.asked('POST /v1/plans/validate')[0]?.form();
    expect(JSON.parse(String(validated?.get('config')))).toEqual({
      MODE: 'slow',
      OUTPUT_FILE: 'out/totals.csv',
      INPUT_FOLDER: '/in voices',
      RATES: '/rates.csv',
    });
    expect([...blobs.keys()].sort()).toEqual([uploads.RATES.sha256, uploads.INPUT_FOLDER.sha256].sort());
    for (const [name, bytes] of blobs) expect(sha256(bytes)).toBe(name);
    expect(fake.requests.every((each) => each.headers.authorization === 'Bearer tk')).toBe(true);
    expect(test.out[0]).toBe(`Batch ${BATCH} submitted: Invoice Processor, 3 stages`);

    expect(await submit(...inputs)).toBe(0);
    expect(fake.requests.filter((each) => each.method === 'PUT')).toHaveLength(2);
  });

  it('stores nothing when the plan has errors, and says all of them', async () => {
    const errors = [1, 2].map((line) => sampleDiagnostic('error', 'PF001', `wrong ${line}`, [line, 1]));
    routes['POST /v1/plans/validate'] = () => ({
      json: { valid: false, diagnostics: errors, plan: { name: '', tasks: [], inputs: [] } },
    });
    expect(await submit('-i', 'INPUT_FOLDER=@in voices')).toBe(2);
    expect(test.err).toEqual([
      'plan.md:1:1 error PF001 wrong 1',
      '    1 | # Plan: Invoice Processor',
      '        ^',
      'plan.md:2:1 error PF001 wrong 2',
      'error: the plan is not valid (2 errors); nothing was submitted',
    ]);
    expect(fake.requests).toHaveLength(1);
  });

  it('says what the control plane finds only at submission', async () => {
    const missing = sampleDiagnostic('error', 'PF050', 'INPUT_FOLDER is missing', [5, 3]);
    routes['POST /v1/batches'] = () => problem(422, 'invalid_plan', 'errors', { diagnostics: [missing] });
    expect(await submit()).toBe(2);
    expect(test.err[0]).toBe('plan.md:5:3 error PF050 INPUT_FOLDER is missing');
  });

  it.each([
    ['INPUT_FOLDER=@nowhere', 'there is no file or folder'],
    ['INPUT_FOLDER=@rates.csv', 'the plan wants a folder'],
    ['INPUT=@rates.csv', 'the plan has no input INPUT'],
    ['MODE=@rates.csv', 'MODE is a plain value'],
    ['OUTPUT_FILE=@rates.csv', 'is written by the plan'],
    ['OUTPUT_FILE=..', 'does not end in a name'],
    ['OUTPUT_FILE=out/-x.csv', 'cannot be the name of an output'],
    ['OUTPUT_FILE=12:30.csv', 'cannot be the name of an output'],
  ])('refuses -i %s before sending anything large', async (input, text) => {
    expect(await submit('-i', input)).toBe(2);
    expect(test.err.join('\n')).toContain(text);
    expect(blobs.size).toBe(0);
    expect(fake.asked('POST /v1/batches')).toEqual([]);
  });

  it('sends a blob again when the control plane is busy', async () => {
    const put = routes['PUT /v1/blobs/*'];
    let busy = true;
    routes['PUT /v1/blobs/*'] = (request) => {
      if (!busy) return put?.(request) ?? {};
      busy = false;
      return problem(503, 'busy', 'in a moment');
    };
    expect(await submit('-i', 'RATES=@rates.csv')).toBe(0);
    expect(blobs.size).toBe(1);
  });
});

describe('submit --watch', () => {
  it('shows progress, fetches the outputs and ends with 0', async () => {
    const stored: Record<string, string> = {
      'output/totals.csv': 'id,total\n',
      'output/pages/a/1 #.html': '<p>',
      'output/pages/2.html': '',
      'output/other.txt': 'no',
    };
    routes[`GET /v1/batches/${BATCH}/files`] = ({ query }) => {
      const all = Object.entries(stored).map(([path, text]) => ({
        path,
        size: text.length,
        sha256: sha256(text),
        task: `${BATCH}:x:0`,
        attempt: 1,
      }));
      return query.get('cursor') === null ? page(all.slice(0, 2), 'more') : page(all.slice(2));
    };
    routes[`GET /v1/batches/${BATCH}/files/*`] = ({ path }) => ({
      bytes: Buffer.from(stored[path.slice(`/v1/batches/${BATCH}/files/`.length)] ?? 'none'),
    });
    views.unshift({ json: sampleBatch('active', { total: 2, succeeded: 1, leased: 1 }) });
    expect(await submit('-i', 'OUTPUT_FILE=out dir/totals.csv', '-i', 'PAGES=site/pages/', '--watch')).toBe(
      0,
    );
    expect(await readFile(join(test.home, 'out dir/totals.csv'), 'utf8')).toBe('id,total\n');
    expect(await readFile(join(test.home, 'site/pages/a/1 #.html'), 'utf8')).toBe('<p>');
    expect((await readdir(join(test.home, 'site/pages'))).sort()).toEqual(['2.html', 'a']);
    expect(test.out).toContain('OUTPUT_FILE: out dir/totals.csv');
    expect(test.out.at(-1)).toBe(`Batch ${BATCH} succeeded in 12 s: 2 of 2 tasks succeeded`);
  });

  it('leaves the old file when what arrives is damaged, and lets no path out of its folder', async () => {
    await writeFile(join(test.home, 'totals.csv'), 'old');
    const file = {
      path: 'output/totals.csv',
      size: 3,
      sha256: sha256('new'),
      task: `${BATCH}:x:0`,
      attempt: 1,
    };
    routes[`GET /v1/batches/${BATCH}/files`] = () => page([file]);
    routes[`GET /v1/batches/${BATCH}/files/*`] = () => ({ bytes: Buffer.from('nEw') });
    expect(await submit('-i', 'OUTPUT_FILE=totals.csv', '--watch')).toBe(3);
    expect(await readFile(join(test.home, 'totals.csv'), 'utf8')).toBe('old');
    expect((await readdir(test.home)).filter((name) => name.endsWith('.part'))).toEqual([]);
    routes[`GET /v1/batches/${BATCH}/files`] = () => page([{ ...file, path: 'output/p/../../../x' }]);
    expect(await submit('-i', 'PAGES=p', '--watch')).toBe(3);
    expect(test.err.join('\n')).toContain('leads out of its folder');
  });

  it('is taken up again by status --watch, which fetches the same outputs', async () => {
    const stored = { 'output/totals.csv': 'id\n', 'output/pages/a.html': '<p>' };
    routes[`GET /v1/batches/${BATCH}/files`] = () =>
      page(
        Object.entries(stored).map(([path, text]) => ({
          path,
          size: text.length,
          sha256: sha256(text),
          task: `${BATCH}:x:0`,
          attempt: 1,
        })),
      );
    routes[`GET /v1/batches/${BATCH}/files/*`] = ({ path }) => ({
      bytes: Buffer.from(path.endsWith('csv') ? stored['output/totals.csv'] : stored['output/pages/a.html']),
    });
    await submit('-i', 'OUTPUT_FILE=my totals/totals.csv', '-i', 'PAGES=pages');
    const hint = `Watch it: planfleet watch ${BATCH} -o 'OUTPUT_FILE=${test.home}/my totals/totals.csv' -o 'PAGES=${test.home}/pages'`;
    expect(test.out).toContain(hint);
    const status = (...args: string[]) =>
      test.run('status', BATCH, '--url', fake.url, '--token', 'tk', ...args);
    const outputs = ['-o', 'OUTPUT_FILE=my totals/totals.csv', '-o', `PAGES=${test.home}/pages`];
    expect(await status('--watch', ...outputs)).toBe(0);
    expect(await readFile(join(test.home, 'my totals/totals.csv'), 'utf8')).toBe('id\n');
    expect(await readFile(join(test.home, 'pages/a.html'), 'utf8')).toBe('<p>');
    expect(await status(...outputs)).toBe(2);
    expect(await status('--watch', '-o', 'PAGES')).toBe(2);
  });

  it('says of tasks that never came to run that they were not run', async () => {
    views = [{ json: sampleBatch('failed', { total: 5, succeeded: 1, abandoned: 1, waiting: 3 }) }];
    routes[`GET /v1/batches/${BATCH}/tasks`] = ({ query }) =>
      query.get('state') === 'abandoned'
        ? page([])
        : page([sampleTask(0, 'succeeded'), sampleTask(1, 'waiting')]);
    routes[`GET /v1/batches/${BATCH}/stages`] = () =>
      page([
        sampleStage('extract', { total: 2, succeeded: 1, abandoned: 1 }, 'failed'),
        sampleStage('sum', { total: 3, waiting: 3 }, 'waiting'),
      ]);
    expect(await submit('--watch')).toBe(1);
    expect(test.out.at(-1)).toBe(
      `Batch ${BATCH} failed in 12 s: 1 of 5 tasks succeeded, 1 failed, 3 not run`,
    );
    await test.run('status', BATCH, '--url', fake.url, '--token', 'tk');
    expect(test.out.find((line) => line.startsWith('  sum'))).toMatch(
      /^ {2}sum +not run +0\/3 done, 3 not run$/,
    );
    await test.run('tasks', BATCH, '--url', fake.url, '--token', 'tk');
    expect(test.out.filter((line) => line.includes(':extract:')).at(-1)).toMatch(/ not run +extract_inv-1/);
    await test.run('tasks', BATCH, '--url', fake.url, '--token', 'tk', '--json');
    expect(test.out.at(-1)).toContain('"state":"waiting"');
  });

  it('fetches the other files when one cannot be had, names it, and ends with 3', async () => {
    const file = (name: string) => ({
      path: `output/pages/${name}`,
      size: 4,
      sha256: sha256('page'),
      task: `${BATCH}:x:0`,
      attempt: 1,
    });
    routes[`GET /v1/batches/${BATCH}/files`] = () => page(['a', 'b', 'c'].map(file));
    routes[`GET /v1/batches/${BATCH}/files/*`] = ({ path }) =>
      path.endsWith('/a') ? problem(404, 'not_found', 'it is not stored') : { bytes: Buffer.from('page') };
    expect(await submit('-i', 'PAGES=site/pages', '--watch')).toBe(3);
    expect((await readdir(join(test.home, 'site/pages'))).sort()).toEqual(['b', 'c']);
    expect(test.out).toContain('PAGES: site/pages (2 files)');
    expect(test.err.join('\n')).toContain('1 file was not fetched\n  output/pages/a: it is not stored');
  });

  it('says which task failed, on what, where and why, and ends with 1', async () => {
    views = [{ json: sampleBatch('failed', { total: 14, succeeded: 2, abandoned: 12 }) }];
    const failed = Array.from({ length: 10 }, (_, index) => sampleTask(index));
    routes[`GET /v1/batches/${BATCH}/tasks`] = ({ query }) =>
      query.get('state') === 'abandoned' && query.get('limit') === '10' ? page(failed, 'more') : page([]);
    routes['GET /v1/tasks/*'] = ({ path }) => ({
      json: {
        ...sampleTask(Number(path.split(':').at(-1))),
        command: 'node x',
        history: [
          sampleAttempt(1, 'first'),
          sampleAttempt(3, 'one\n\u001b[31mno total found\u001b[0m in\tmarch/inv\n'),
        ],
      },
    });
    expect(await submit('--watch')).toBe(1);
    const text = test.out.join('\n');
    expect(text).toContain(
      [
        'extract_inv-9 failed after 3 attempts',
        '  item    {"id":"inv-9","path":"march/inv 9.pdf"}',
        '  agent   rig1',
        '  reason  exit code 4: the command failed',
        '  output',
        '    one',
        '    no total found in\tmarch/inv',
      ].join('\n'),
    );
    expect(text).toContain(`2 more: planfleet tasks ${BATCH} --state abandoned`);
    expect(test.out.at(-1)).toBe(`Batch ${BATCH} failed in 12 s: 2 of 14 tasks succeeded, 12 failed`);
  });

  it('keeps standard output for programs with --json', async () => {
    expect(await submit('--watch', '--json')).toBe(0);
    expect(test.out.map((line) => JSON.parse(line))).toEqual([
      sampleSubmitted(),
      {
        ...sampleBatch('succeeded', { total: 2, succeeded: 2 }),
        stages: [sampleStage('extract', { total: 2, succeeded: 2 }, 'done')],
        expected_end_at: null,
        expected_end_is_earliest: false,
      },
    ]);
    expect(test.err).toEqual([]);
  });
});
