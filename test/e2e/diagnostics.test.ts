import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import type { Validation } from '@planfleet/shared-types';
import { create } from 'tar';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Fleet } from '../support/fleet.ts';

const fleet = new Fleet();
let token: string;
let folder: string;

// Line by line a mistake; every one of another kind. CRLF, a tab after a bullet and words that are no ASCII besides.
const TEN_MISTAKES = [
  '# Grüße zählen',
  '',
  '## Inputs',
  '',
  '- **WORD**: what to write (default: Grüße)',
  '',
  '## Tasks',
  '',
  '### 1. write it',
  '- **task_class**: cpu',
  '-\t**command**: `sh {PLAN_PATH}/scripts/wriet.sh {WROD} > {BATCH_PATH}/a.txt`',
  '',
  '### count',
  '- **task_class**: cpu',
  '- **command**: `wc -c < {BATCH_PATH}/a.txt > "{BATCH_PATH}/b.txt`',
  '- **depends_on**: 1. write it',
  '- **timeout**: 20 minuts',
  '- **timeout**: 5m',
  '',
  '### count',
  '- **task_class**: cpu',
  '- **command**: `echo {WORD} > {BATCH_PATH}/output/c.txt`',
  '- **depends_on**: cuont, copy_{ITEM.id}',
  '',
  '### copy',
  '- **task_class**: cpu',
  '- **command**: `cp {BATCH_PATH}/b.txt {BATCH_PATH}/d.txt`',
  '- **depends_on**: count',
  '',
].join('\r\n');

const CODES = ['PF001', 'PF003', 'PF018', 'PF024', 'PF022', 'PF008', 'PF007', 'PF004', 'PF014', 'PF016'];

beforeAll(async () => {
  await fleet.startServer();
  token = await fleet.adminToken();
  folder = fleet.makeFolder('ten mistakes');
  mkdirSync(`${folder}/scripts`);
  writeFileSync(`${folder}/scripts/write.sh`, 'mkdir -p output; printf %s "$1"\n');
  writeFileSync(`${folder}/plan.md`, TEN_MISTAKES);
  chmodSync(`${folder}/plan.md`, 0o640);
});
afterAll(() => fleet.close());

test('each of ten mistakes is found at once, each once, by the API and by the CLI', async () => {
  const bundle = fleet.path('bundle.tgz');
  await create({ gzip: true, cwd: folder, file: bundle }, ['plan.md', 'scripts']);
  const form = new FormData();
  form.append('bundle', new Blob([new Uint8Array(readFileSync(bundle))]), 'plan.tgz');
  const response = await fleet.request('/v1/plans/validate', { method: 'POST', body: form });
  const { valid, diagnostics } = (await response.json()) as Validation;
  expect(valid).toBe(false);
  expect(diagnostics.map(({ code }) => code).sort()).toEqual(CODES.toSorted());
  expect(diagnostics.every(({ edits, hint }) => edits !== undefined && hint !== undefined)).toBe(true);

  const result = await fleet.cli(['validate', folder], token);
  expect(result.code).toBe(2);
  const places = result.stdout.split('\n').filter((line) => line.startsWith('plan.md:'));
  expect(places.map((line) => /PF\d{3}/.exec(line)?.[0]).sort()).toEqual(CODES.toSorted());
  expect(result.stdout).toContain(
    '   17 | - **timeout**: 20 minuts\n                       ^\n  hint: Write timeout: 20m.',
  );
  expect(result.stdout).toMatch(/not valid: 10 errors\n$/);
});

test('--fix repairs the plan where it lies, shows what it changed, and the plan runs', async () => {
  const result = await fleet.cli(['validate', folder, '--fix'], token);
  expect(result.stdout).toContain('    1 - # Grüße zählen');
  expect(result.stdout).toContain('    1 + # Plan: Grüße zählen');
  expect(result.stdout).toContain(
    'fixed: 10 errors (PF001, PF003, PF004, PF007, PF008, PF014, PF016, PF018, PF022, PF024)',
  );
  expect(result.stdout).toMatch(/valid: Grüße zählen\n$/);
  expect(result.code).toBe(0);
  const plan = readFileSync(`${folder}/plan.md`, 'utf8');
  expect(plan.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  expect(plan).toContain('### count_2\r\n');
  expect(statSync(`${folder}/plan.md`).mode & 0o777).toBe(0o640);

  await fleet.startAgent('worker');
  const submitted = await fleet.cli(['submit', folder, '--json'], token);
  const { batch_id } = JSON.parse(submitted.stdout) as { batch_id: string };
  expect((await fleet.untilEnded(batch_id)).state).toBe('succeeded');
});

test('--fix --json names what was repaired, and leaves a sound plan alone', async () => {
  const file = `${folder}/plan.md`;
  const before = statSync(file).mtimeMs;
  const result = await fleet.cli(['validate', folder, '--fix', '--json'], token);
  expect(JSON.parse(result.stdout)).toMatchObject({
    valid: true,
    changed: false,
    fixed: [],
    diagnostics: [],
  });
  expect(statSync(file).mtimeMs).toBe(before);

  const alone = fleet.path('alone.md');
  writeFileSync(alone, '# Plan: A\n\n## Tasks\n\n### a\n- **command**: `true`\n- **priority**: 0\n');
  const fixed = await fleet.cli(['validate', alone, '--fix', '--json'], token);
  expect(JSON.parse(fixed.stdout)).toMatchObject({
    valid: true,
    changed: true,
    fixed: [{ code: 'PF008', edits: [{ replacement: '1' }] }, { code: 'PF011' }],
    diagnostics: [],
  });
  expect(readFileSync(alone, 'utf8')).toContain(
    '### a\n- **task_class**: cpu\n- **command**: `true`\n- **priority**: 1\n',
  );
});
