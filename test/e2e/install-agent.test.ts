import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildEnvironmentFile, quoteUnitWord } from '../../agent/src/client/systemd-unit.ts';
import { Fleet } from '../support/fleet.ts';

const hasAnalyze = spawnSync('systemd-analyze', ['--version']).status === 0;

let fleet: Fleet;
beforeEach(() => {
  fleet = new Fleet();
});
afterEach(() => fleet.close());

const options = () => [
  ...['agent', '--user', '--url', 'https://plan.example:7654', '--token', 'secret.token'],
  ...['--data', fleet.path('da ta $x %i "q"'), '--labels', 'a100,nvme', '--slots', '3', '--grace', '2m'],
];
const unitFile = (name = 'planfleet-agent') => fleet.path('config', 'systemd', 'user', `${name}.service`);
const tokenFile = () => fleet.path('config', 'planfleet', 'planfleet-agent.env');

/** A systemctl that notes how it was called. */
function fakeSystemctl(exitCode: number): { path: string; calls(): string } {
  const folder = fleet.makeFolder('bin');
  const log = join(folder, 'calls');
  writeFileSync(
    join(folder, 'systemctl'),
    `#!/bin/sh\necho "$@" >> '${log}'\n[ ${exitCode} = 0 ] || echo 'no bus' >&2\nexit ${exitCode}\n`,
  );
  chmodSync(join(folder, 'systemctl'), 0o755);
  return { path: `${folder}:${process.env['PATH']}`, calls: () => readFileSync(log, 'utf8') };
}

describe('agent --install', () => {
  test('writes a unit that systemd accepts, and the token in a private file alone', async () => {
    const result = await fleet.cli([...options(), '--install'], null);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toContain(
      'systemctl --user daemon-reload && systemctl --user enable --now planfleet-agent.service',
    );
    expect(result.stdout).toContain('loginctl enable-linger');
    const unit = readFileSync(unitFile(), 'utf8');
    expect(unit + result.stdout).not.toContain('secret');
    expect(readFileSync(tokenFile(), 'utf8')).toMatch(/^PLANFLEET_TOKEN="secret\.token"\nPATH="/);
    expect(statSync(tokenFile()).mode & 0o777).toBe(0o600);
    for (const line of ['Restart=always', 'KillMode=mixed', 'TimeoutStopSec=150', 'WantedBy=default.target'])
      expect(unit.split('\n')).toContain(line);
    expect(unit).toContain('da ta $$x %%i \\"q\\""');
    expect(unit).toContain(`EnvironmentFile=${tokenFile()}\n`);
    if (!hasAnalyze) return;
    const verified = spawnSync('systemd-analyze', ['verify', '--user', '--man=no', unitFile()], {
      encoding: 'utf8',
      env: { ...process.env, XDG_RUNTIME_DIR: fleet.folder },
    });
    expect(verified).toMatchObject({ status: 0, stdout: '', stderr: '' });
  });

  test('--print shows the unit and writes nothing', async () => {
    const result = await fleet.cli([...options(), '--install', '--print'], null);
    expect(result.stdout).toContain('ExecStart="');
    expect(result.stdout + result.stderr).not.toContain('secret');
    expect(existsSync(fleet.path('config'))).toBe(false);
  });

  test('--now starts it, --uninstall stops and removes it', async () => {
    const systemctl = fakeSystemctl(0);
    const run = async (...args: string[]) => {
      const process = fleet.start([...options(), ...args], { ...fleet.env, PATH: systemctl.path });
      await process.ended;
      return { code: process.child.exitCode, text: process.lines.join('\n') };
    };
    expect(await run('--install', '--now', '--name', 'rig-1')).toMatchObject({ code: 0 });
    expect(systemctl.calls().split('\n')).toEqual([
      '--user daemon-reload',
      '--user enable planfleet-agent-rig-1.service',
      '--user restart planfleet-agent-rig-1.service',
      '',
    ]);
    expect(await run('--uninstall')).toMatchObject({ code: 2, text: expect.stringContaining('--name') });
    const removed = await run('--uninstall', '--name', 'rig-1', '--json');
    expect(JSON.parse(removed.text)).toMatchObject({ stopped: true, scope: 'user' });
    expect(systemctl.calls()).toContain('--user disable --now planfleet-agent-rig-1.service');
    expect(existsSync(unitFile('planfleet-agent-rig-1'))).toBe(false);
    expect(existsSync(fleet.path('config', 'planfleet', 'planfleet-agent-rig-1.env'))).toBe(false);
  });

  test('says what systemctl said when it cannot start it, and how to', async () => {
    const process = fleet.start([...options(), '--install', '--now'], {
      ...fleet.env,
      PATH: fakeSystemctl(1).path,
    });
    await process.ended;
    expect(process.child.exitCode).toBe(3);
    expect(process.lines.join('\n')).toMatch(/is written, but not started: no bus\n.*enable --now/);
  });

  test('needs a token', async () => {
    const result = await fleet.cli(['agent', '--user', '--install', '--url', 'https://plan.example'], null);
    expect([result.code, result.stderr]).toEqual([3, expect.stringContaining('tokens create --scope agent')]);
  });
});

describe('the texts of a unit', () => {
  test('words and values are read by systemd as they are meant', () => {
    expect(quoteUnitWord('a b')).toBe('"a b"');
    expect(quoteUnitWord('50% "x" \\ $HOME')).toBe('"50%% \\"x\\" \\\\ $$HOME"');
    expect(() => quoteUnitWord('a\nb')).toThrow('control character');
    expect(buildEnvironmentFile({ A: 'x "y" $z `w` \\' })).toBe('A="x \\"y\\" \\$z \\`w\\` \\\\"\n');
  });
});
