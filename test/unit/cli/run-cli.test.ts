import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VERSION } from '../../../agent/src/client/version.ts';
import { createTestTerminal, type TestTerminal } from './test-terminal.ts';

const binary = fileURLToPath(new URL('../../../agent/bin/planfleet.mjs', import.meta.url));

let test: TestTerminal;
beforeEach(async () => {
  test = await createTestTerminal();
});
afterEach(() => test.remove());

describe('the command line', () => {
  it('has the version of its package', async () => {
    const manifest = await readFile(new URL('../../../agent/package.json', import.meta.url), 'utf8');
    expect(JSON.parse(manifest).version).toBe(VERSION);
    expect(await test.run('--version')).toBe(0);
    expect(test.out).toEqual([VERSION]);
  });

  it('lists every command, and hides the options that only tests need', async () => {
    expect(await test.run('--help')).toBe(0);
    for (const name of [
      'up',
      'serve',
      'migrate',
      'agent',
      'doctor',
      'submit',
      'validate',
      'run',
      'plan',
      'status',
      'watch',
      'files',
      'tasks',
      'task',
      'cancel',
      'tokens',
    ])
      expect(test.out.join('\n')).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    expect(await test.run('up', '--help')).toBe(0);
    expect(test.out.join('\n')).not.toContain('lease-ms');
  });

  it.each([
    [[], 'Usage: planfleet'],
    [['sumbit', 'x'], 'Did you mean submit?'],
    [['submit'], 'no plan is named'],
    [['submit', 'x', '--priority', '11'], 'whole number from 1 to 10'],
    [['submit', 'x', '--nope'], "unknown option '--nope'"],
    [['up', '--port', '70000'], 'whole number from 0 to 65535'],
    [['tokens', 'create'], '--scope'],
    [['tokens', 'create', '--scope', 'root'], 'there is no scope "root"'],
    [['tokens', 'create', '--scope', 'agent', '--expires', 'soon'], '"soon" is not a duration'],
    [['status', 'newest'], '"newest" is not a batch'],
    [['task', 'extract'], '"extract" is not a task'],
    [['tasks', '20261122_142233', '--state', 'done'], 'there is no state "done"'],
    [['agent', '--name', 'a b', '--token', 't'], 'an agent name is'],
    [['serve', '--host', '0.0.0.0', '--port', '0'], '--insecure-http'],
    [['serve', '--tls-cert', 'c.pem'], 'belong together'],
    [['status', '--url', 'rig1:7654'], 'is not an http or https address'],
  ])('refuses %j with exit code 2', async (args, text) => {
    expect(await test.run(...args)).toBe(2);
    expect([...test.err, ...test.out].join('\n')).toContain(text);
  });

  it('says that nothing listens, with exit code 3', async () => {
    expect(await test.run('status', '--url', 'http://127.0.0.1:9')).toBe(3);
    expect(test.err[0]).toMatch(/^error: cannot reach http:\/\/127.0.0.1:9: /);
    expect(test.err[1]).toContain('hint: ');
  });

  it('loads next to nothing before it knows the command', async () => {
    const dist = new URL('../../../agent/dist/', import.meta.url);
    const loaded = new Map<string, number>();
    const pending = ['main.js'];
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (loaded.has(name)) continue;
      const text = await readFile(new URL(name, dist), 'utf8');
      loaded.set(name, text.length);
      for (const match of text.matchAll(/^(?:import|\} from) ?[^(]*?"\.\/([^"]+)";$/gm))
        pending.push(match[1] ?? '');
    }
    const total = [...loaded.values()].reduce((sum, size) => sum + size, 0);
    // The option parser has 130 kB; schemas alone would be 500 kB more, and 60 ms.
    expect(total).toBeLessThan(200_000);
    expect(loaded.size).toBeGreaterThan(1);
  });

  it('starts as a process, and gives its exit code', async () => {
    const run = promisify(execFile);
    const env = { ...process.env, HOME: test.home, XDG_CONFIG_HOME: '', XDG_DATA_HOME: '' };
    expect((await run(process.execPath, [binary, '--version'], { env })).stdout).toBe(`${VERSION}\n`);
    await expect(
      run(process.execPath, [binary, 'status', '--url', 'http://127.0.0.1:9'], { env }),
    ).rejects.toMatchObject({ code: 3, stdout: '' });
  });
});
