import { hostname } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPaint } from '../../../agent/src/client/paint.ts';
import { formatDuration, parseDuration } from '../../../agent/src/client/parse-duration.ts';
import { printableText } from '../../../agent/src/client/printable-text.ts';
import { safeAgentName } from '../../../agent/src/commands/agent-settings.ts';
import { createLog } from '../../../agent/src/commands/create-log.ts';
import { reachableUrl } from '../../../agent/src/commands/start-local-server.ts';
import { type FakeControlPlane, startFakeControlPlane } from './fake-control-plane.ts';
import { BATCH, page, sampleAttempt, sampleBatch, sampleStage, sampleTask } from './sample-answers.ts';
import { createTestTerminal, type TestTerminal } from './test-terminal.ts';

const detail = {
  ...sampleTask(7),
  command: "node x 'a b'",
  history: [sampleAttempt(1, 'no'), sampleAttempt(2, '')],
};
const stages = [
  sampleStage('scan', { total: 1, succeeded: 1 }, 'done'),
  sampleStage('extract', { total: 24, leased: 2 }),
];

let test: TestTerminal;
let fake: FakeControlPlane;
beforeEach(async () => {
  test = await createTestTerminal();
  fake = await startFakeControlPlane({
    'GET /v1/batches': () => page([sampleBatch('active', { total: 25, succeeded: 1, leased: 2 })]),
    'GET /v1/agents': () =>
      page([
        {
          name: 'rig1',
          state: 'connected',
          hostname: 'rig1',
          version: '0.1.0',
          slots: 8,
          leased: 2,
          labels: ['a100'],
          last_seen_at: '2026-11-22T14:22:33.000Z',
        },
      ]),
    [`GET /v1/batches/${BATCH}`]: () => ({
      json: sampleBatch('failed', { total: 25, succeeded: 24, abandoned: 1 }),
    }),
    [`GET /v1/batches/${BATCH}/stages`]: () => page(stages),
    [`GET /v1/batches/${BATCH}/tasks`]: ({ query }) =>
      query.get('cursor') === null ? page([sampleTask(1)], 'c1') : page([sampleTask(2, 'succeeded')]),
    [`GET /v1/tasks/${BATCH}:extract:7`]: () => ({ json: detail }),
    [`GET /v1/tasks/${BATCH}:extract`]: () => ({ json: detail }),
    [`POST /v1/batches/${BATCH}/cancel`]: () => ({ json: sampleBatch('cancelling') }),
    'POST /v1/tokens': ({ body }) => ({
      json: {
        agent: null,
        plans: null,
        ...JSON.parse(String(body)),
        jti: 'j1',
        created_at: '2026-11-22T14:22:33.000Z',
        expires_at: null,
        revoked_at: null,
        token: 'the.token',
      },
    }),
    'DELETE /v1/tokens/j1': () => ({ status: 204, bytes: Buffer.alloc(0) }),
  });
});
afterEach(async () => {
  await fake.close();
  await test.remove();
});
const run = (...args: string[]) => test.run(...args, '--url', fake.url);

describe('status', () => {
  it('shows batches and agents', async () => {
    expect(await run('status')).toBe(0);
    expect(test.out).toEqual([
      `${BATCH}  active  Invoice Processor  1 of 25 tasks succeeded, 2 running`,
      '',
      'rig1  connected  2 of 8 slots used  a100',
    ]);
  });

  it('shows the stages of a batch', async () => {
    expect(await run('status', BATCH)).toBe(0);
    expect(test.out).toEqual([
      `${BATCH} Invoice Processor failed in 12 s: 24 of 25 tasks succeeded, 1 failed`,
      '  scan     done  1/1 done',
      '  extract  open  0/24 done, 2 running',
      `What failed: planfleet tasks ${BATCH} --state abandoned`,
    ]);
  });

  it('gives a program the batch with its stages', async () => {
    await run('status', BATCH, '--json');
    expect(JSON.parse(test.out.join(''))).toMatchObject({ id: BATCH, state: 'failed', stages });
  });
});

describe('tasks and task', () => {
  it('reads every page', async () => {
    expect(await run('tasks', BATCH, '--stage', 'extract', '--state', 'abandoned')).toBe(0);
    expect(test.out).toEqual([
      `${BATCH}:extract:1  abandoned  extract_inv-1  3 attempts`,
      `${BATCH}:extract:2  succeeded  extract_inv-2  3 attempts`,
    ]);
    const query = fake.requests[0]?.query;
    expect([query?.get('stage'), query?.get('state')]).toEqual(['extract', 'abandoned']);
  });

  it('shows the command and every attempt', async () => {
    expect(await run('task', `${BATCH}:extract:7`)).toBe(0);
    const text = test.out.join('\n');
    expect(text).toContain("    node x 'a b'");
    expect(text).toContain('attempt 1  failed on rig1');
    expect(text).toContain('to 2026-11-22T14:22:35.100Z, 1.0 s');
    expect(text).toContain('  reason   exit code 4: the command failed\n  output\n    no');
    expect(text).toContain('attempt 2  failed on rig1');
  });

  it('takes a stage of one task without a number, and prints the answer as it is', async () => {
    expect(await run('task', `${BATCH}:extract`, '--json')).toBe(0);
    expect(JSON.parse(test.out.join(''))).toEqual(detail);
  });
});

describe('cancel and tokens', () => {
  it('says what became of the batch', async () => {
    expect(await run('cancel', BATCH)).toBe(0);
    expect(test.out).toEqual([`Batch ${BATCH} is cancelling.`]);
  });

  it('prints a new token alone on standard output', async () => {
    const args = [
      '--scope',
      'submit,read',
      '--scope',
      'operate',
      '--subject',
      'ci',
      '--plan',
      'inv*',
      '--expires',
      '90d',
    ];
    expect(await run('tokens', 'create', ...args)).toBe(0);
    expect(test.out).toEqual(['the.token']);
    expect(JSON.parse(String(fake.requests[0]?.body))).toEqual({
      subject: 'ci',
      scopes: ['submit', 'read', 'operate'],
      plans: ['inv*'],
      expires_in_s: 7_776_000,
    });
  });

  it('revokes', async () => {
    expect(await run('tokens', 'revoke', 'j1')).toBe(0);
    expect(test.out).toEqual(['Token j1 is revoked.']);
  });
});

describe('small texts', () => {
  it('durations are read and written', () => {
    expect(
      ['90s', '20m', '6h', '1d', '500ms', '30', '1.5s'].map((text) => parseDuration(text, '--x')),
    ).toEqual([90_000, 1_200_000, 21_600_000, 86_400_000, 500, 30_000, 1_500]);
    expect([840, 9_960, 12_300, 245_000, 7_380_000].map(formatDuration)).toEqual([
      '0.8 s',
      '10 s',
      '12 s',
      '4 min 05 s',
      '2 h 03 min',
    ]);
  });

  it('output of a task cannot drive the terminal', () => {
    expect(printableText('\u001b]0;title\u0007a\u001b[2Jb\rc\u0000\u202ed\r\ne\tf')).toBe('abcd\ne\tf');
  });

  it('any host name makes an agent name', () => {
    expect(['rig-1.local', 'Ann’s Mac', '__x', '', 'x'.repeat(80)].map(safeAgentName)).toEqual([
      'rig-1.local',
      'Ann-s-Mac',
      'x',
      'machine',
      'x'.repeat(63),
    ]);
  });

  it('the address for other machines is one that they can reach', () => {
    expect(reachableUrl('http://10.0.0.5:7654', '10.0.0.5')).toBe('http://10.0.0.5:7654');
    expect(reachableUrl('http://127.0.0.1:7654', '0.0.0.0')).toBe(`http://${hostname().toLowerCase()}:7654`);
  });

  it('logs are JSON for programs and one line for people', () => {
    const entry = {
      level: 'warn',
      message: 'slow',
      event: 'lag',
      details: { ms: 5, at: undefined },
    } as const;
    createLog(test.terminal, true, () => new Date(0))(entry);
    createLog(test.terminal, false, () => new Date(0))(entry);
    expect(test.err).toEqual([
      '{"time":"1970-01-01T00:00:00.000Z","level":"warn","message":"slow","event":"lag","details":{"ms":5}}',
      '00:00:00 warning: slow ms=5',
    ]);
  });

  it('colours are there only when asked for', () => {
    expect(createPaint(false).red('x')).toBe('x');
    expect(createPaint(true).red('x')).toBe('\u001b[31mx\u001b[39m');
  });
});
