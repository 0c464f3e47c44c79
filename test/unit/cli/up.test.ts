import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestTerminal, type TestTerminal } from './test-terminal.ts';

const binary = fileURLToPath(new URL('../../../agent/bin/planfleet.mjs', import.meta.url));

let test: TestTerminal;
let children: ChildProcess[];
beforeEach(async () => {
  test = await createTestTerminal();
  children = [];
});
afterEach(async () => {
  for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
  await test.remove();
});

/** Runs planfleet until it has printed a line that `ready` likes. */
async function start(args: string[], ready: (line: string) => boolean) {
  const env = { PATH: process.env['PATH'], HOME: test.home };
  const child = spawn(process.execPath, [binary, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  const closed = once(child, 'close');
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const lines: string[] = [];
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      if (ready(line)) resolve();
    });
    child.once('close', (code) => reject(new Error(`${args[0]} ended with ${code}: ${errors}`)));
  });
  return {
    lines,
    async end(): Promise<number | null> {
      child.kill('SIGTERM');
      const [code] = await closed;
      return code;
    },
  };
}
const isListening = (line: string) => line.includes('"event":"listening"');
const configOfUser = () => join(test.home, '.config/planfleet/config.json');
const dataOfUser = () => join(test.home, '.local/share/planfleet');

describe.each(['up', 'serve'])('%s', (command) => {
  it('says when it listens, leaves a private login, and ends on SIGTERM', async () => {
    const running = await start([command, '--json', '--port', '0'], isListening);
    const { url, data } = JSON.parse(running.lines[0] ?? '');
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(data).toBe(dataOfUser());
    const login = join(data, 'local-login.json');
    expect(JSON.parse(await readFile(login, 'utf8'))).toMatchObject({ url });
    for (const file of [login, configOfUser()]) expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(data)).mode & 0o777).toBe(0o700);
    expect(await running.end()).toBe(0);
  });

  it('says that the port is taken, with exit code 3', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await expect(start([command, '--port', String(port)], isListening)).rejects.toThrow(
      `${command} ended with 3: error: something listens on 127.0.0.1:${port} already`,
    );
    other.close();
    await expect(access(configOfUser())).rejects.toThrow();
  });
});

it('serve prints the one command that joins a machine', async () => {
  const running = await start(['serve', '--port', '0', '--name', 'rig1'], (line) =>
    line.includes('PLANFLEET_TOKEN'),
  );
  expect(running.lines.at(-1)).toMatch(
    /^ {2}PLANFLEET_TOKEN=\S+ npx planfleet agent --url http:\/\/127\.0\.0\.1:\d+ --name rig1$/,
  );
  expect(await running.end()).toBe(0);
});
