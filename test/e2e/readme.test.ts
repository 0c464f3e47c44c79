import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../support/fleet.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const readme = readFileSync(join(repository, 'README.md'), 'utf8');
/** Where the page says that the control plane is. */
const PORT = 7654;

const folder = mkdtempSync(join(tmpdir(), 'planfleet readme '));
const clone = join(folder, 'fresh clone');
const env = {
  ...process.env,
  XDG_CONFIG_HOME: join(folder, 'config'),
  XDG_DATA_HOME: join(folder, 'data'),
  npm_config_cache: process.env['npm_config_cache'] ?? join(homedir(), '.npm'),
  PLANFLEET_URL: '',
  PLANFLEET_TOKEN: '',
};
let up: ChildProcess | null = null;

/** The commands of a section, block by block, as they are on the page. */
function blocksOf(section: string): string[] {
  const text = readme.split(/^## /m).find((part) => part.startsWith(`${section}\n`));
  if (text === undefined) throw new Error(`README.md has no section ${section}`);
  return [...text.matchAll(/^```bash\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
}

/** What somebody sees who types a block into a shell that stops at the first error. */
async function type(block: string): Promise<string> {
  const shell = spawn('bash', ['-euo', 'pipefail', '-c', block], {
    cwd: clone,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [shell.stdout, shell.stderr])
    stream.setEncoding('utf8').on('data', (text) => (output += text));
  const [code] = (await once(shell, 'close')) as [number | null];
  expect(code, `${block}\n${output}`).toBe(0);
  return output;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

beforeAll(() => {
  const tracked = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: repository,
  });
  for (const path of tracked
    .toString()
    .split('\0')
    .filter((each) => each !== '')) {
    mkdirSync(dirname(join(clone, path)), { recursive: true });
    copyFileSync(join(repository, path), join(clone, path));
  }
  const plan = /```markdown\n(# Plan: Greetings[\s\S]*?)```/.exec(readme)?.[1];
  if (plan === undefined) throw new Error('README.md shows no plan');
  writeFileSync(join(clone, 'greetings.md'), plan);
});
afterAll(async () => {
  if (up?.pid !== undefined && up.exitCode === null) {
    // Ctrl-C goes to the whole group: npx does not hand it on.
    process.kill(-up.pid, 'SIGINT');
    await once(up, 'exit');
  }
  rmSync(folder, { recursive: true, force: true });
});

test('the page, typed from its top: from nothing to an own plan, its results, and the API', {
  timeout: 400_000,
}, async (context) => {
  // Somebody who works with planfleet on this machine has it there.
  if (await isListening(PORT)) context.skip(`port ${PORT} is in use`);
  const started = performance.now();
  const [start = '', ...blocks] = blocksOf('Quickstart');
  const [install = '', server = ''] = start.split(/(?<=^npm ci\n)/m);
  await type(install);
  const installed = performance.now();
  up = spawn('bash', ['-c', `exec ${server}`], { cwd: clone, env, stdio: 'ignore', detached: true });
  await until('the control plane to listen', () => isListening(PORT));
  const outputs: string[] = [];
  for (const block of blocks) {
    outputs.push(await type(block));
    if (outputs.length === 1) {
      const seconds = (from: number, to: number) => ((to - from) / 1_000).toFixed(1);
      const now = performance.now();
      console.log(
        `README: npm ci ${seconds(started, installed)} s, then own plan done after ${seconds(installed, now)} s`,
      );
    }
  }
  const [own = '', greetings = '', others = ''] = outputs;
  expect(own).toContain('Hi, Ada Lovelace!');
  expect(greetings).toContain("Hello Ada\nHello Grace\nHello O'Brien & Sons\n");
  expect(others).toContain('keywords.csv');
  expect(others).toContain('one command, no plan');

  const seen = (await Promise.all(blocksOf('See what happens, and why').map(type))).join('');
  for (const part of ['1/1 done', 'one command, no plan', 'attempt 1', 'BATCH_COMPLETE', 'succeeded'])
    expect(seen).toContain(part);

  const api = (await Promise.all(blocksOf('The API, with curl alone').map(type))).join('');
  expect(new Set(api.match(/"batch_id":"\d{8}_\d{6}(_\d+)?"/g)).size).toBe(3);
  expect(api).toContain('event: end');
  expect(readFileSync(join(clone, 'zoom.png')).subarray(1, 4).toString()).toBe('PNG');
});
