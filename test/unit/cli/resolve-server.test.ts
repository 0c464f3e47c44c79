import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configFile, defaultDataFolder } from '../../../agent/src/client/config-folders.ts';
import { localLoginFile, writeConfigIfNone, writeLocalLogin } from '../../../agent/src/client/local-login.ts';
import { resolveServer } from '../../../agent/src/client/resolve-server.ts';
import { createTestTerminal, type TestTerminal } from './test-terminal.ts';

let test: TestTerminal;
beforeEach(async () => {
  test = await createTestTerminal();
});
afterEach(() => test.remove());

async function writeConfig(config: object, mode = 0o600): Promise<void> {
  const file = configFile(test.terminal.env);
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, JSON.stringify(config));
  await chmod(file, mode);
}
const withEnv = (env: Record<string, string>) => ({
  ...test.terminal,
  env: { ...test.terminal.env, ...env },
});

describe('address and token', () => {
  it('are a control plane on this machine without a token when nothing is configured', async () => {
    expect(await resolveServer({}, test.terminal)).toEqual({ url: 'http://127.0.0.1:7654', token: null });
  });

  it('come from flags before the environment before the config file', async () => {
    await writeConfig({ url: 'https://config.example', token: 'config' });
    expect(await resolveServer({}, test.terminal)).toEqual({
      url: 'https://config.example',
      token: 'config',
    });
    const env = withEnv({ PLANFLEET_URL: 'https://env.example/', PLANFLEET_TOKEN: 'env' });
    expect(await resolveServer({}, env)).toEqual({ url: 'https://env.example', token: 'env' });
    expect(await resolveServer({ url: 'https://flag.example', token: 'flag' }, env)).toEqual({
      url: 'https://flag.example',
      token: 'flag',
    });
  });

  it('a token of the config file goes to no other server', async () => {
    await writeConfig({ url: 'https://config.example', token: 'config' });
    expect(await resolveServer({ url: 'https://other.example' }, test.terminal)).toEqual({
      url: 'https://other.example',
      token: null,
    });
  });

  it('fall back to the login that up left, for its own port of this machine only', async () => {
    await writeLocalLogin(defaultDataFolder(test.terminal.env), {
      url: 'http://127.0.0.1:8123',
      token: 'local',
    });
    expect(await resolveServer({}, test.terminal)).toEqual({ url: 'http://127.0.0.1:8123', token: 'local' });
    expect((await resolveServer({ url: 'http://localhost:8123' }, test.terminal)).token).toBe('local');
    expect((await resolveServer({ url: 'http://127.0.0.1:8124' }, test.terminal)).token).toBeNull();
    expect((await resolveServer({ url: 'http://rig1:8123' }, test.terminal)).token).toBeNull();
  });

  it('follow the data folder that up noted in the config file', async () => {
    const data = join(test.home, 'elsewhere');
    await writeConfigIfNone(configFile(test.terminal.env), data);
    await writeLocalLogin(data, { url: 'http://127.0.0.1:9000', token: 'there' });
    expect(await resolveServer({}, test.terminal)).toEqual({ url: 'http://127.0.0.1:9000', token: 'there' });
  });

  it('respect XDG_CONFIG_HOME and XDG_DATA_HOME', () => {
    expect(configFile({ HOME: '/h', XDG_CONFIG_HOME: '/c' })).toBe('/c/planfleet/config.json');
    expect(configFile({ HOME: '/h', XDG_CONFIG_HOME: 'relative' })).toBe('/h/.config/planfleet/config.json');
    expect(defaultDataFolder({ HOME: '/h', XDG_DATA_HOME: '/d' })).toBe('/d/planfleet');
    expect(defaultDataFolder({ HOME: '/h' })).toBe('/h/.local/share/planfleet');
  });

  it('warn of a config file with a token that others can read', async () => {
    await writeConfig({ token: 'config' }, 0o644);
    await resolveServer({}, test.terminal);
    expect(test.err.join('\n')).toContain('chmod 600');
  });

  it('a config file that cannot be understood is an error that names it', async () => {
    await writeConfig({ urll: 'x' });
    await expect(resolveServer({}, test.terminal)).rejects.toMatchObject({ exit_code: 2 });
  });
});

describe('what up leaves behind', () => {
  it('is readable by its user alone', async () => {
    const data = join(test.home, 'data');
    await writeLocalLogin(data, { url: 'http://127.0.0.1:1', token: 'secret' });
    const file = configFile(test.terminal.env);
    await writeConfigIfNone(file, data);
    for (const each of [localLoginFile(data), file]) expect((await stat(each)).mode & 0o777).toBe(0o600);
  });

  it('never replaces a config file', async () => {
    await writeConfig({ url: 'https://mine.example' });
    expect(await writeConfigIfNone(configFile(test.terminal.env), '/data')).toBe(false);
    expect(await readFile(configFile(test.terminal.env), 'utf8')).toContain('mine.example');
  });
});
