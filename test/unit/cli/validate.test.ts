import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeControlPlane, problem, startFakeControlPlane } from './fake-control-plane.ts';
import { sampleDiagnostic } from './sample-answers.ts';
import { createTestTerminal, type TestTerminal } from './test-terminal.ts';

const DIAGNOSTICS = [
  { ...sampleDiagnostic('error', 'PF012', 'no such task "scna"', [14, 5]), hint: 'Did you mean scan?' },
  sampleDiagnostic('warning', 'PF030', 'unused \u001b[2Jinput', [6, 3]),
];

let test: TestTerminal;
let fake: FakeControlPlane;
let valid: boolean;
beforeEach(async () => {
  valid = false;
  test = await createTestTerminal();
  fake = await startFakeControlPlane({
    'POST /v1/plans/validate': () => ({
      json: valid
        ? { valid, diagnostics: DIAGNOSTICS.slice(1), plan: { name: 'Tiny', tasks: [], inputs: [] } }
        : { valid, diagnostics: DIAGNOSTICS, plan: { name: '', tasks: [], inputs: [] } },
    }),
  });
  await mkdir(join(test.home, 'tiny'));
  await writeFile(join(test.home, 'tiny', 'plan.md'), '# Plan: Tiny\n');
});
afterEach(async () => {
  await fake.close();
  await test.remove();
});

describe('validate', () => {
  it('prints every diagnostic with its place and hint, and ends with 2', async () => {
    expect(await test.run('validate', 'tiny', '--url', fake.url)).toBe(2);
    expect(test.out).toEqual([
      'plan.md:14:5 error PF012 no such task "scna"',
      '  hint: Did you mean scan?',
      'plan.md:6:3 warning PF030 unused input',
      'not valid: 1 error, 1 warning',
    ]);
    const form = await fake.requests[0]?.form();
    expect(form?.get('bundle')).toBeInstanceOf(Blob);
  });

  it('ends with 0 on warnings only', async () => {
    valid = true;
    expect(await test.run('validate', 'tiny', '--url', fake.url)).toBe(0);
    expect(test.out.at(-1)).toBe('valid: Tiny (1 warning)');
  });

  it('sends a plan.md alone as text, and prints the answer as it is with --json', async () => {
    expect(await test.run('validate', 'tiny/plan.md', '--url', fake.url, '--json')).toBe(2);
    expect(JSON.parse(test.out.join(''))).toMatchObject({ valid: false, diagnostics: DIAGNOSTICS });
    expect(fake.requests[0]?.headers['content-type']).toBe('text/markdown');
    expect(fake.requests[0]?.body.toString()).toBe('# Plan: Tiny\n');
  });

  it.each([
    ['nowhere', 'there is no plan at nowhere'],
    ['.', 'there is no plan.md in .'],
  ])('says what is wrong with the path %s before asking anybody', async (path, text) => {
    expect(await test.run('validate', path, '--url', fake.url)).toBe(2);
    expect(test.err.join('\n')).toContain(text);
    expect(fake.requests).toEqual([]);
  });
});

describe('a refusal', () => {
  it.each([
    [401, 'no_token', 3],
    [403, 'wrong_scope', 3],
    [404, 'not_found', 2],
    [409, 'conflict', 2],
    [413, 'too_large', 2],
    [503, 'busy', 3],
  ])('of %i %s has exit code %i, and says what the control plane says', async (status, code, exit) => {
    const refusing = await startFakeControlPlane({
      'POST /v1/batches/20261122_142233/cancel': () => problem(status, code, 'because', { hint: 'do that' }),
    });
    expect(await test.run('cancel', '20261122_142233', '--url', refusing.url)).toBe(exit);
    expect(test.err).toEqual(['error: because', '  hint: do that']);
    await refusing.close();
  });

  it('of something that is no control plane is told as that', async () => {
    const strange = await startFakeControlPlane({ 'GET /v1/batches': () => ({ json: { hello: 1 } }) });
    expect(await test.run('status', '--url', strange.url)).toBe(3);
    expect(test.err.join('\n')).toContain('a planfleet control plane of this version?');
    await strange.close();
  });
});
