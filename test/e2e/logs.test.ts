import { spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { FileView, Page } from '@planfleet/shared-types';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Fleet, until } from '../support/fleet.ts';

const BINARY = fileURLToPath(new URL('../../agent/bin/planfleet.mjs', import.meta.url));
const TOKEN = 'hf_0123456789abcdefghijklmnop';

const fleet = new Fleet();
beforeAll(async () => {
  await fleet.startServer();
  await fleet.startAgent('left', { slots: 4 });
  const file = fleet.path('agent-left', 'secrets.env');
  writeFileSync(file, `# keys\nHF_TOKEN=${TOKEN}\nexport PEM="line one of it\\nline two of it"\nPIN=12\n`);
  chmodSync(file, 0o600);
});
afterAll(() => fleet.close());

/** `planfleet logs -f` as a process, with the time at which each line came. */
function followLogs(args: readonly string[], token: string) {
  const child = spawn(process.execPath, [BINARY, 'logs', ...args], {
    env: { ...fleet.env, PLANFLEET_URL: fleet.url, PLANFLEET_TOKEN: token, NO_COLOR: '1' },
    cwd: fleet.folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: { text: string; at: number }[] = [];
  let errors = '';
  createInterface({ input: child.stdout }).on('line', (text) => lines.push({ text, at: Date.now() }));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, lines, ended, errors: () => errors };
}

function plan(...tasks: string[]): string {
  return `# Plan: Logs\n\n## Tasks\n\n${tasks.join('\n\n')}\n`;
}

function script(body: string): string {
  return `- **command**:\n\`\`\`bash\n${body}\n\`\`\``;
}

async function logText(task: string, query = ''): Promise<string> {
  const response = await fleet.request(`/v1/tasks/${task}/logs${query}`);
  expect(response.status).toBe(200);
  return response.text();
}

async function listFiles(batch: string): Promise<readonly FileView[]> {
  return (await fleet.get<Page<FileView>>(`/v1/batches/${batch}/files`)).items;
}

test('logs -f shows lines less than a second after they were printed, in order, from before the task began', async () => {
  const token = await fleet.adminToken();
  const id = await fleet.submit(
    plan(
      `### wait\n- **task_class**: cpu\n${script('sleep 1')}`,
      `### count\n- **task_class**: cpu\n- **depends_on**: wait\n${script(
        'for n in $(seq 1 12); do echo "line $n $(date +%s%3N)"; sleep 0.3; done; printf "half ü"',
      )}`,
    ),
  );
  const reader = followLogs([`${id}:count`, '-f'], token);
  expect(await reader.ended).toBe(0);
  const printed = reader.lines.filter(({ text }) => text.startsWith('line '));
  expect(printed.map(({ text }) => Number(text.split(' ')[1]))).toEqual(
    Array.from({ length: 12 }, (_, n) => n + 1),
  );
  const lags = printed.map(({ text, at }) => at - Number(text.split(' ')[2]));
  console.log(`logs -f lag in ms: median ${[...lags].sort((a, b) => a - b)[6]}, most ${Math.max(...lags)}`);
  expect(Math.max(...lags)).toBeLessThan(1_000);
  expect(reader.lines.at(-1)?.text).toBe('half ü');
  expect(reader.errors()).toContain('succeeded');
});

test('a reader goes on where it was when the control plane comes back', async () => {
  const token = await fleet.adminToken();
  const { port } = fleet;
  const flag = fleet.path('go');
  const id = await fleet.submit(
    plan(
      `### talk\n- **task_class**: cpu\n${script(
        `for n in $(seq 1 5); do echo "before $n"; done; until [ -e '${flag}' ]; do sleep 0.1; done; for n in $(seq 1 5); do echo "after $n"; done; sleep 1; echo bye`,
      )}`,
    ),
  );
  const reader = followLogs([`${id}:talk`, '-f'], token);
  await until('the first lines', () => reader.lines.length === 5);
  await fleet.processes[0]?.kill();
  writeFileSync(flag, '');
  await fleet.startServer({ port });
  expect(await reader.ended).toBe(0);
  expect(reader.lines.map(({ text }) => text)).toEqual([
    ...[1, 2, 3, 4, 5].map((n) => `before ${n}`),
    ...[1, 2, 3, 4, 5].map((n) => `after ${n}`),
    'bye',
  ]);
});

test('the log of a failed attempt, and that of Setup, are files of the batch', async () => {
  const id = await fleet.submit(
    `# Plan: Failing\n\n## Setup\n\n\`\`\`bash\necho preparing\n\`\`\`\n\n## Tasks\n\n### big\n- **task_class**: cpu\n- **max_attempts**: 1\n${script(
      'seq 1 30000; echo over >&2; exit 3',
    )}\n\n### small\n- **task_class**: cpu\n- **foreach**: [{"id": "a/b"}, {"id": "a:b"}]\n${script('echo "item $PLANFLEET_TASK"')}\n\n### silent\n- **task_class**: cpu\n${script('true')}\n`,
  );
  await fleet.untilEnded(id);
  const files = await listFiles(id);
  const paths = files.map(({ path }) => path);
  expect(paths).toContain('logs/big.1.log');
  expect(paths.filter((path) => path.startsWith('logs/small_a_b'))).toHaveLength(2);
  expect(paths.some((path) => path.includes('silent'))).toBe(false);
  const expected = `${Array.from({ length: 30_000 }, (_, n) => n + 1).join('\n')}\nover\n`;
  const big = await (await fleet.request(`/v1/batches/${id}/files/logs/big.1.log`)).text();
  expect(big.endsWith(expected)).toBe(true);
  const logs = await Promise.all(
    [`${id}:big`, `${id}:small:0`, `${id}:small:1`, `${id}:silent`].map((task) => logText(task)),
  );
  expect(logs[0]).toBe(big);
  expect(logs.filter((text) => text.includes('preparing'))).toHaveLength(1);
  const small = files.find(({ task }) => task === `${id}:small:1`);
  const content = await (await fleet.request(`/v1/batches/${id}/files/${small?.path}`)).text();
  expect(content).toBe(logs[2]);
  expect(content).toContain(`item ${id}:small:1`);
  expect(await logText(`${id}:big`, `?offset=${Buffer.byteLength(big) - 5}`)).toBe('over\n');
});

test('secrets are in the environment and nowhere else, also where a value is cut by a read', async () => {
  const half = Math.floor(TOKEN.length / 2);
  const id = await fleet.submit(
    plan(
      `### leak\n- **task_class**: cpu\n- **secrets**: HF_TOKEN, PEM, PIN\n- **max_attempts**: 1\n${script(
        [
          `printf '%s' "\${HF_TOKEN:0:${half}}"; sleep 1.2; printf '%s\\n' "\${HF_TOKEN:${half}}"`,
          'echo "$PEM"; echo "pin $PIN"; printf "user:$HF_TOKEN" | base64 -w0; echo',
          'head -c 262130 /dev/zero | tr "\\0" x; echo "$HF_TOKEN end"; sleep 1.2; exit 1',
        ].join('\n'),
      )}`,
      `### others\n- **task_class**: cpu\n${script('echo "none: ${HF_TOKEN:-nothing}"')}`,
      `### missing\n- **task_class**: cpu\n- **max_attempts**: 1\n- **secrets**: API_KEY\n${script('true')}`,
    ),
  );
  const reader = followLogs([`${id}:leak`, '-f'], await fleet.adminToken());
  await fleet.untilEnded(id);
  expect(await reader.ended).toBe(0);
  const detail = await fleet.task(`${id}:leak`);
  const file = await (await fleet.request(`/v1/batches/${id}/files/logs/leak.1.log`)).text();
  const seen = [reader.lines.map(({ text }) => text).join('\n'), file, detail.history[0]?.tail ?? ''];
  for (const text of seen) {
    expect(text).toContain(`${'*'.repeat(TOKEN.length)} end`);
    expect(text).not.toContain(TOKEN.slice(0, half));
    expect(text).not.toContain(TOKEN.slice(-half));
    expect(text).not.toContain('of it');
    expect(text).not.toContain(Buffer.from(`user:${TOKEN}`).toString('base64').slice(12, 40));
  }
  expect(file).toContain('pin 12');
  expect(await logText(`${id}:others`)).toBe('none: nothing\n');
  const missing = (await fleet.task(`${id}:missing`)).history[0];
  expect(missing?.error_type).toBe('definition');
  expect(missing?.message).toContain(`API_KEY is not in ${fleet.path('agent-left', 'secrets.env')}`);
});

test('a secrets file that others can read is refused', async () => {
  const file = fleet.path('agent-left', 'secrets.env');
  chmodSync(file, 0o640);
  const id = await fleet.submit(
    plan(
      `### leak\n- **task_class**: cpu\n- **secrets**: HF_TOKEN\n- **max_attempts**: 1\n${script('true')}`,
    ),
  );
  await fleet.untilEnded(id);
  chmodSync(file, 0o600);
  expect((await fleet.task(`${id}:leak`)).history[0]?.message).toContain('chmod 600');
});

test('progress of a running task is shown, and gone when it ends', async () => {
  const flag = fleet.path('finish');
  const id = await fleet.submit(
    plan(
      `### bar\n- **task_class**: cpu\n${script(
        `printf 'loading 10%%\\rloading 25%%\\r'; sleep 1; echo '::progress 0.5 half way'; until [ -e '${flag}' ]; do sleep 0.1; done`,
      )}`,
    ),
  );
  await until('a quarter', async () => (await fleet.task(`${id}:bar`)).progress === 0.25);
  const half = await until('a half', async () => {
    const task = await fleet.task(`${id}:bar`);
    return task.progress === 0.5 ? task : undefined;
  });
  expect(half.progress_text).toBe('half way');
  writeFileSync(flag, '');
  await fleet.untilEnded(id);
  expect((await fleet.task(`${id}:bar`)).progress).toBeNull();
  expect(await logText(`${id}:bar`)).toContain('::progress 0.5 half way');
});

test('what a reader was not given is shown as a gap, and a log over the cap keeps its head and tail', async () => {
  const agent = fleet.start(
    [
      ...['agent', '--json', '--url', fleet.url, '--name', 'capped', '--data', fleet.path('agent-capped')],
      ...['--slots', '1', '--log-cap', '1', '--labels', 'capped'],
    ],
    { ...fleet.env, PLANFLEET_TOKEN: await fleet.makeToken(['agent'], ['--agent', 'capped']) },
  );
  await until('the agent', () => agent.event('registered') !== undefined);
  const id = await fleet.submit(
    plan(
      `### flood\n- **task_class**: cpu\n- **labels**: capped\n${script('echo first; seq 1 1200000; echo last; sleep 2')}`,
    ),
  );
  const reader = followLogs([`${id}:flood`, '-f'], await fleet.adminToken());
  await fleet.untilEnded(id);
  expect(await reader.ended).toBe(0);
  const lines = reader.lines.map(({ text }) => text);
  expect(lines[0]).toBe('first');
  expect(lines.at(-1)).toBe('last');
  expect(lines.filter((line) => /^\[\.\.\. \d+ bytes missing \.\.\.\]$/.test(line)).length).toBeGreaterThan(
    0,
  );
  const file = (await listFiles(id)).find(({ path }) => path === 'logs/flood.1.log');
  expect(file?.size).toBeLessThan(1_000_100);
  const text = await logText(`${id}:flood`);
  expect(text.startsWith('first\n1\n2\n')).toBe(true);
  expect(text.endsWith('1199999\n1200000\nlast\n')).toBe(true);
  const missing = Number(/\[\.\.\. (\d+) bytes missing/.exec(text)?.[1]);
  const whole = Buffer.byteLength(
    `first\n${Array.from({ length: 1_200_000 }, (_, n) => n + 1).join('\n')}\nlast\n`,
  );
  expect(missing + (file?.size ?? 0) - Buffer.byteLength(`\n[... ${missing} bytes missing ...]\n`)).toBe(
    whole,
  );
  const local = join(fleet.path('agent-capped', 'plans'));
  expect(existsSync(local)).toBe(true);
  await agent.terminate();
});

test('logs of a task without output, of an attempt that never was, and of no task', async () => {
  const id = await fleet.submit(plan(`### silent\n- **task_class**: cpu\n${script('true')}`));
  await fleet.untilEnded(id);
  expect(await logText(`${id}:silent`)).toBe('');
  expect((await fleet.cli(['logs', `${id}:silent`])).code).toBe(0);
  const unknown = await fleet.cli(['logs', `${id}:silent`, '--attempt', '7']);
  expect(unknown).toMatchObject({ code: 2, stdout: '' });
  expect(unknown.stderr).toContain('has no attempt 7: the newest is 1');
  expect((await fleet.cli(['logs', `${id}:nothing`])).code).toBe(2);
  const lines = (await fleet.cli(['logs', `${id}:silent`, '-f', '--json'])).stdout.trim().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { event: 'end', attempt: 1, outcome: 'succeeded', message: null },
  ]);
  expect(readFileSync(fleet.path('agent-left', 'secrets.env'), 'utf8')).toContain(TOKEN);
});
