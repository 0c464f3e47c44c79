import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify, stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Fleet, until } from '../support/fleet.ts';

const BINARY = fileURLToPath(new URL('../../agent/bin/planfleet.mjs', import.meta.url));
const fleet = new Fleet();
let token: string;
beforeAll(async () => {
  await fleet.startServer();
  token = await fleet.adminToken();
  await fleet.startAgent('rig', { slots: 4, labels: 'here' });
});
afterAll(() => fleet.close());

const batchIn = (text: string) => /\d{8}_\d{6}[\w-]*/.exec(text)?.[0] ?? '';

const PRINT_ARGUMENTS = 'process.stdout.write(JSON.stringify(process.argv.slice(1)))';
const NASTY = [
  '',
  ' ',
  "O'Brien & Sons (final) $5.pdf",
  'a"b\\c`d',
  '$HOME ${HOME} $(id) `id`',
  '{BATCH_PATH} {NAME} {ITEM.id} {NAME:raw} ${X}',
  'line one\nline two\r\n\ttab',
  '日本語 äöü é 👩‍👩‍👧',
  '*.txt ? [a-z] {a,b} ~ !x #y',
  '--json',
  '-n',
  'a=b',
  '<!-- comment --> ``` ~~~',
  '\u0001\u001b[31m\u007f\u0085\u00a0\u202e\u2028\ufeff',
  '\\x41 \\n %s %%',
  ';|&<>()',
];

/** `planfleet run` as a process of its own, looked at while it runs. */
function runHere(command: readonly string[]) {
  const env = { ...fleet.env, PLANFLEET_URL: fleet.url, PLANFLEET_TOKEN: token, NO_COLOR: '1' };
  const child = spawn(process.execPath, [BINARY, 'run', '--', ...command], { env, cwd: fleet.folder });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
    });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { child, ended, stdout: () => texts.stdout, stderr: () => texts.stderr };
}

describe('run', () => {
  test('arguments and variables arrive exactly, and standard output is that of the command alone', async () => {
    const result = await fleet.cli([
      ...['run', '--env', "MODE=it's {NAME} $x\n`y` ü", '--env', 'EMPTY=', '--label', 'here', '--'],
      ...[process.execPath, '-e', PRINT_ARGUMENTS, '--', ...NASTY],
    ]);
    expect(result.stderr).not.toContain('error');
    expect(JSON.parse(result.stdout)).toEqual(NASTY);
    expect(result.code).toBe(0);
    const script = 'process.stdout.write(process.env.MODE + "|" + process.env.EMPTY)';
    const variables = await fleet.cli([
      ...[
        'run',
        '--env',
        "MODE=it's {NAME} $x\n`y` ü",
        '--env',
        'EMPTY=',
        '--',
        process.execPath,
        '-e',
        script,
      ],
    ]);
    expect(variables.stdout).toBe("it's {NAME} $x\n`y` ü|");
  });

  test('a word of the shell is a command like any other', async () => {
    const words = await fleet.cli(['run', '--', 'A=1', 'x']);
    expect(words.code).toBe(127);
    expect(words.stdout).toContain('A=1: command not found');
    const keyword = await fleet.cli(['run', '--', 'if', 'true']);
    expect(keyword.stdout).toContain('if: command not found');
  });

  test('a command that fails runs once and gives its own exit code', async () => {
    const result = await fleet.cli(['run', '--name', 'three', '--', 'bash', '-c', 'echo no luck; exit 3']);
    expect(result).toMatchObject({ code: 3, stdout: 'no luck\n' });
    expect(result.stderr).toContain('exit code 3');
    const id = batchIn(result.stderr);
    expect(result.stderr).toContain(`planfleet task ${id}:bash`);
    expect(await fleet.tasks(id)).toMatchObject([{ attempts: 1, state: 'abandoned' }]);
    expect(await fleet.batch(id)).toMatchObject({ plan_name: 'three' });
    const json = await fleet.cli(['run', '--json', '--', 'bash', '-c', 'echo no luck; exit 3']);
    expect(json.code).toBe(3);
    expect(JSON.parse(json.stdout)).toMatchObject({ exit_code: 3, state: 'abandoned', output: 'no luck\n' });
    expect(json.stderr).toBe('');
  });

  test('a timeout ends it', async () => {
    const result = await fleet.cli(['run', '--timeout', '300ms', '--', 'sleep', '60']);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('failed:');
  });

  test('the output comes while the command runs, exactly as it was written', async () => {
    const go = fleet.path('go on');
    const body = `printf 'one\\n\\033[31mtwo\\r'; until [ -e "$0" ]; do sleep 0.05; done; printf three; kill -TERM $$`;
    const running = runHere(['bash', '-c', body, go]);
    await until('the first output', () => running.stdout().endsWith('two\r'));
    writeFileSync(go, '');
    expect(await running.ended).toBe(128 + 15);
    expect(running.stdout()).toBe('one\n\u001b[31mtwo\rthree');
    expect(running.stderr()).toContain('ended by SIGTERM');
  });

  test('Ctrl-C ends the watching, not the command', async () => {
    const running = runHere(['bash', '-c', 'echo here; sleep 60']);
    await until('the first output', () => running.stdout() === 'here\n');
    running.child.kill('SIGINT');
    expect(await running.ended).toBe(130);
    const id = batchIn(running.stderr());
    expect(running.stderr()).toContain(`planfleet cancel ${id}`);
    expect((await fleet.batch(id)).finished_at).toBeNull();
    expect((await fleet.cli(['cancel', id])).code).toBe(0);
    await fleet.untilEnded(id);
  });

  test('-d returns at once', async () => {
    const result = await fleet.cli(['run', '-d', '--', 'bash', '-c', 'until [ -e go ]; do sleep 0.05; done']);
    const id = batchIn(result.stdout);
    expect(result.code).toBe(0);
    expect(result.stdout).toContain(`planfleet watch ${id}`);
    expect((await fleet.batch(id)).finished_at).toBeNull();
    expect((await fleet.cli(['cancel', id])).code).toBe(0);
    await fleet.untilEnded(id);
  });

  test.each([
    [['run'], 'missing required argument'],
    [['run', '--env', '1=x', '--', 'ls'], '--env 1=x'],
    [['run', '--label', 'a b', '--', 'ls'], 'cannot be a label'],
    [['run', '--timeout', '0', '--', 'ls'], 'leaves no time'],
    [['run', '--', ''], 'empty name'],
  ])('refuses %j with exit code 2', async (args, text) => {
    const result = await fleet.cli(args);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain(text);
  });
});

describe('files', () => {
  let id: string;
  beforeAll(async () => {
    const make = [
      'cd "$OUTPUT"; mkdir -p pages/deep pages2',
      "printf one > 'pages/1 #ü.txt'",
      'printf two > pages/deep/2.txt',
      'printf three > pages2/3.txt',
      'printf table > totals.csv',
    ].join('; ');
    const result = await fleet.cli(['run', '--', 'bash', '-c', make]);
    expect(result.code).toBe(0);
    id = batchIn(result.stderr);
    expect(result.stderr).toContain(`planfleet files ${id}`);
  });

  test('lists them, all or by the beginning of their path', async () => {
    const all = await fleet.cli(['files', id]);
    expect(all.code).toBe(0);
    expect(all.stdout).toMatch(/^ +5 B +output\/files\/totals\.csv +\S+:bash/m);
    const some = await fleet.cli(['files', id, '--prefix', 'output/files/pages/']);
    expect(some.stdout.trim().split('\n')).toHaveLength(2);
    const json = await fleet.cli(['files', id, '--json', '--prefix', 'output/files/p']);
    const { items } = JSON.parse(json.stdout) as { items: { path: string }[] };
    expect(items.map((file) => file.path)).toEqual([
      'output/files/pages/1 #ü.txt',
      'output/files/pages/deep/2.txt',
      'output/files/pages2/3.txt',
    ]);
    expect((await fleet.cli(['files', id, '--prefix', 'nothing'])).stderr).toContain('begins with nothing');
  });

  test('copies one file, or a folder and nothing beside it, and no part of one', async () => {
    const one = await fleet.cli(['files', id, 'get', 'output/files/totals.csv', 'here']);
    expect(one).toMatchObject({ code: 0, stdout: '1 file, 5 B in here\n' });
    expect(readFileSync(fleet.path('here', 'totals.csv'), 'utf8')).toBe('table');
    const folder = await fleet.cli(['files', id, 'get', './output/files/pages/', 'there']);
    expect(folder.code).toBe(0);
    expect(readdirSync(fleet.path('there'), { recursive: true }).sort()).toEqual([
      'pages',
      'pages/1 #ü.txt',
      'pages/deep',
      'pages/deep/2.txt',
    ]);
    const again = await fleet.cli(['files', id, 'get', './output', 'all', '--json']);
    expect(again.stdout.trim().split('\n')).toHaveLength(4);
    expect(readFileSync(fleet.path('all', 'output/files/pages/deep/2.txt'), 'utf8')).toBe('two');
    const present = await fleet.cli(['files', id, 'get', 'output/files', 'all/output']);
    expect(present.stdout).toContain('4 of them there already');
  });

  test('what cannot be written, or is not there, is said', async () => {
    mkdirSync(fleet.path('taken', 'totals.csv'), { recursive: true });
    const taken = await fleet.cli(['files', id, 'get', 'output/files/totals.csv', 'taken']);
    expect(taken.code).toBe(2);
    expect(taken.stderr).toContain('cannot write');
    expect(readdirSync(fleet.path('taken'))).toEqual(['totals.csv']);
    const none = await fleet.cli(['files', id, 'get', 'output/files/page', 'x']);
    expect(none.code).toBe(2);
    expect(none.stderr).toContain('has no file or folder output/files/page');
    expect((await fleet.cli(['files', id, 'get', '../x'])).code).toBe(2);
    expect((await fleet.cli(['files', id, 'put', 'x'])).stderr).toContain('"put" is not known');
    expect((await fleet.cli(['files', id, 'get'])).stderr).toContain('the path is missing');
  });
});

describe('watch', () => {
  const plan = (command: string) =>
    `# Plan: Watched\n\n## Tasks\n\n### step\n- **task_class**: cpu\n- **max_attempts**: 1\n- **command**: \`${command}\`\n`;

  test('prints lines in a pipe, and JSON Lines of snapshots for programs', async () => {
    const id = await fleet.submit(plan('true'));
    const lines = await fleet.cli(['watch', id]);
    expect(lines.code).toBe(0);
    expect(lines.stdout).toContain('step 1/1 done');
    expect(lines.stdout).toMatch(/succeeded in .*: 1 of 1 tasks succeeded\n$/);
    const json = await fleet.cli(['watch', id, '--json']);
    const [last, ...more] = json.stdout.trim().split('\n').reverse();
    expect(JSON.parse(last ?? '')).toMatchObject({
      id,
      state: 'succeeded',
      expected_end_at: null,
      stages: [{ key: 'step', succeeded: 1 }],
    });
    expect(more).toEqual([]);
    expect(json.stderr).toBe('');
  });

  test('of a batch that fails ends with 1, and names the command to look deeper', async () => {
    const id = await fleet.submit(plan('echo broken; exit 4'));
    const result = await fleet.cli(['watch', id]);
    expect(result.code).toBe(1);
    expect(result.stdout).toContain('exit code 4');
    expect(result.stdout).toContain(`planfleet task ${id}:step`);
  });

  test('draws bars in place at a terminal, and leaves the batch when Ctrl-C is typed', async () => {
    const gate = fleet.path('gate');
    const id = await fleet.submit(plan(`until [ -e '${gate}' ]; do sleep 0.05; done`));
    const env = {
      ...fleet.env,
      PLANFLEET_URL: fleet.url,
      PLANFLEET_TOKEN: token,
      TERM: 'xterm',
      CI: '',
      LANG: 'C.UTF-8',
    };
    const shell = `stty cols 70 rows 20; exec '${process.execPath}' '${BINARY}' watch ${id}`;
    const terminal = spawn('script', ['-qec', shell, '/dev/null'], { env, cwd: fleet.folder });
    let text = '';
    terminal.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    const ended = once(terminal, 'close');
    const shown = () => stripVTControlCharacters(text);
    await until('a bar', () => shown().includes('1 running') && shown().includes('░'));
    await until('the time to go on', () => new Set(shown().match(/0\/1 tasks · [\d.]+ s/g)).size > 1);
    // In place: a line is erased before it is drawn again.
    expect(text).toContain('\u001b[2K');
    terminal.stdin.write('\u0003');
    await ended;
    expect(terminal.exitCode).toBe(130);
    expect(text).toContain(`Batch ${id} goes on without this.`);
    expect(text).toContain(`planfleet watch ${id}`);
    // The cursor is there again.
    expect(text.lastIndexOf('\u001b[?25h')).toBeGreaterThan(text.lastIndexOf('\u001b[?25l'));
    expect((await fleet.batch(id)).finished_at).toBeNull();
    writeFileSync(gate, '');
    expect((await fleet.untilEnded(id)).state).toBe('succeeded');
  });
});

describe('plan init', () => {
  test('makes a plan that validates without a warning and runs as it is', async () => {
    const made = await fleet.cli(['plan', 'init', 'my first ünit']);
    expect(made.code).toBe(0);
    expect(made.stdout).toContain("planfleet submit 'my first ünit' --watch");
    const checked = await fleet.cli(['validate', 'my first ünit']);
    expect(checked).toMatchObject({ code: 0, stdout: 'valid: my first ünit\n', stderr: '' });
    const inputs = ['-i', "GREETING=G'day $x", '-i', 'OUTPUT_FILE=out/greetings.txt'];
    const result = await fleet.cli(['submit', 'my first ünit', '--watch', ...inputs]);
    expect(result.stderr).toBe('');
    expect(result.code).toBe(0);
    const text = readFileSync(fleet.path('out/greetings.txt'), 'utf8');
    expect(text.match(/^G'day \$x, .*!$/gm)).toHaveLength(3);
    expect(text).toContain("Zoë O'Brien & Sons!");
    expect((await fleet.cli(['submit', 'my first ünit', '--watch'])).code).toBe(0);
  });

  test('overwrites nothing', async () => {
    mkdirSync(fleet.path('mine'));
    writeFileSync(fleet.path('mine', 'notes.txt'), 'keep');
    const folder = await fleet.cli(['plan', 'init', 'mine']);
    expect(folder.code).toBe(2);
    expect(folder.stderr).toContain('is not empty');
    expect(readdirSync(fleet.path('mine'))).toEqual(['notes.txt']);
    expect((await fleet.cli(['plan', 'init', 'mine/notes.txt'])).stderr).toContain('is a file already');
    expect((await fleet.cli(['plan', 'init', 'a\nb'])).code).toBe(2);
  });
});

describe('doctor', () => {
  const findingsOf = (stdout: string) => {
    const { ok, findings } = JSON.parse(stdout) as {
      ok: boolean;
      findings: { name: string; state: string; detail: string; hint?: string }[];
    };
    return { ok, of: (name: string) => findings.find((finding) => finding.name === name) };
  };

  test('says what works, and ends with 0', async () => {
    const text = await fleet.cli(['doctor']);
    expect(text.code).toBe(0);
    expect(text.stdout).toMatch(/^ok +node +\d/m);
    expect(text.stdout).toContain('All that is needed works.');
    expect(text.stdout).not.toContain(token);
    const { ok, of } = findingsOf((await fleet.cli(['doctor', '--json'])).stdout);
    expect(ok).toBe(true);
    for (const name of ['node', 'system', 'bash', '/proc', 'data folder', 'file handles', 'control plane'])
      expect(of(name)?.state).toMatch(/ok|warning/);
    expect(of('control plane')?.detail).toContain(`${fleet.url} (from PLANFLEET_URL) answers in`);
    expect(of('clock')?.state).toBe('ok');
    expect(of('token')?.detail).toMatch(/scopes admin, .* from PLANFLEET_TOKEN, does not expire/);
    expect(of('agents')).toMatchObject({
      state: 'ok',
      detail: expect.stringContaining('1 connected: rig ('),
    });
  });

  test('says what does not, what to do, and ends with 1', async () => {
    const expiring = await fleet.makeToken(['submit'], ['--expires', '1h']);
    const weak = findingsOf((await fleet.cli(['doctor', '--json'], expiring)).stdout);
    expect(weak.of('token')).toMatchObject({
      state: 'warning',
      detail: expect.stringContaining('expires in'),
    });
    expect(weak.of('agents')).toBeUndefined();
    const wrong = await fleet.cli(['doctor'], 'not-a-token');
    expect(wrong.code).toBe(1);
    expect(wrong.stdout).toMatch(/^failed +token .*\n +\S+/m);
    const away = await fleet.cli([
      'doctor',
      '--url',
      'http://127.0.0.1:9',
      '--data',
      '/proc/nowhere',
      '--json',
    ]);
    expect(away.code).toBe(1);
    const { of } = findingsOf(away.stdout);
    expect(of('control plane')).toMatchObject({ state: 'failed', hint: expect.any(String) });
    expect(of('data folder')).toMatchObject({ state: 'failed', hint: expect.stringContaining('--data') });
  });
});

describe('every command', () => {
  test('gives programs its errors as JSON on standard error, with the exit code', async () => {
    const parse = (text: string) => JSON.parse(text) as { error: Record<string, unknown> };
    const missing = await fleet.cli(['status', '20200101_000000', '--json']);
    expect(missing).toMatchObject({ code: 2, stdout: '' });
    expect(parse(missing.stderr).error).toMatchObject({ code: 'not_found', exit_code: 2, status: 404 });
    const usage = await fleet.cli(['status', '--json', '--nope']);
    expect(usage.code).toBe(2);
    expect(parse(usage.stderr).error).toMatchObject({ code: 'usage', message: "unknown option '--nope'" });
    const weak = await fleet.makeToken(['read']);
    const refused = await fleet.cli(['run', '--json', '--', 'ls'], weak);
    expect(refused.code).toBe(3);
    expect(parse(refused.stderr).error).toMatchObject({ code: 'wrong_scope', status: 403 });
    writeFileSync(
      fleet.path('bad.md'),
      '# Plan: Bad\n\n## Tasks\n\n### a\n- depends_on: b\n- command: ls {X}\n',
    );
    const plan = await fleet.cli(['submit', 'bad.md', '--json']);
    expect(plan.code).toBe(2);
    const lines = plan.stderr.trim().split('\n');
    expect(parse(lines.at(-1) ?? '').error).toMatchObject({
      code: 'invalid_plan',
      diagnostics: expect.any(Array),
    });
    for (const line of lines) JSON.parse(line);
  });

  test('starts about as fast as node itself where it has nothing to load', async () => {
    const measure = async (...args: string[]) => {
      const began = performance.now();
      await promisify(execFile)(process.execPath, args);
      return performance.now() - began;
    };
    const times = { own: Number.POSITIVE_INFINITY, empty: Number.POSITIVE_INFINITY };
    // In turn, and the best of each: the machine may be busy with other tests.
    for (let count = 0; count < 6; count++) {
      times.own = Math.min(times.own, await measure(BINARY, '--version'));
      times.empty = Math.min(times.empty, await measure('-e', '0'));
    }
    // 90 ms and 45 ms on a quiet machine; with the schemas it would be 60 ms more, with the server 300.
    expect(times.own / times.empty).toBeLessThan(3);
  });
});
