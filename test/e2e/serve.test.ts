import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { Fleet, type FleetProcess, until } from '../support/fleet.ts';

const CLONE = fileURLToPath(new URL('../..', import.meta.url));
const fleets: Fleet[] = [];
afterAll(async () => {
  for (const fleet of fleets) await fleet.close();
});
function newFleet(): Fleet {
  const fleet = new Fleet();
  fleets.push(fleet);
  return fleet;
}

/** The command that a starting server prints. */
async function joinCommand(server: FleetProcess): Promise<string> {
  return until('the join command', () => {
    if (!server.isAlive()) throw new Error(`It ended:\n${server.lines.join('\n')}`);
    return server.lines.find((line) => line.trim().startsWith('PLANFLEET_TOKEN='))?.trim();
  });
}
const urlIn = (command: string) => /--url (\S+)/.exec(command)?.[1] ?? '';

/** An authority and certificates by it, as `openssl` makes them. */
function makeCertificates(folder: string) {
  mkdirSync(folder, { recursive: true });
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const make = (name: string, ...dates: string[]) => {
    openssl(
      'req',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
    );
    writeFileSync(`${folder}/${name}.ext`, 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-extfile',
      `${name}.ext`,
      '-out',
      `${name}.pem`,
      ...dates,
    );
  };
  openssl(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '90',
    '-subj',
    '/CN=Test authority',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
  );
  make('server', '-days', '60');
  make('other', '-days', '60');
  make('soon', '-days', '3');
  return { make, openssl };
}

describe('serve over TLS', () => {
  test('the printed command joins a machine as it is, and a batch runs over https', async () => {
    const fleet = newFleet();
    const folder = fleet.path('tls');
    makeCertificates(folder);
    const args = [
      'serve',
      '--host',
      '127.0.0.1',
      '--port',
      '0',
      '--data',
      fleet.path('server'),
      '--name',
      'rig1',
    ];
    const tls = ['--tls-cert', `${folder}/server.pem`, '--tls-key', `${folder}/server.key`];
    const server = fleet.start([...args, ...tls]);
    const command = await joinCommand(server);
    const url = urlIn(command);
    expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    // The login of this machine needs no certificate.
    const login = JSON.parse(readFileSync(fleet.path('server', 'local-login.json'), 'utf8'));
    expect(login.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);

    const env = { ...fleet.env, NODE_EXTRA_CA_CERTS: `${folder}/ca.pem` };
    const agent = spawn('bash', ['-c', command], {
      cwd: CLONE,
      env,
      stdio: 'ignore',
      detached: true,
    });
    try {
      fleet.url = login.url;
      await until('the agent to be connected', async () => {
        const { items } = await fleet.get<{ items: { name: string; state: string }[] }>('/v1/agents');
        return items.find((each) => each.name === 'rig1')?.state === 'connected';
      });
      const token = await fleet.adminToken();
      const over = await fleet.cli(['run', '--url', url, '--', 'echo', 'over https'], token);
      // Without the authority nothing is sent, and it is said what to do.
      expect(over.code).toBe(3);
      expect(over.stderr).toContain('NODE_EXTRA_CA_CERTS');
      const trusted = fleet.start(['run', '--json', '--url', url, '--', 'echo', 'over https'], {
        ...env,
        PLANFLEET_TOKEN: token,
      });
      await trusted.ended;
      expect(JSON.parse(trusted.lines[0] ?? '')).toMatchObject({ agent: 'rig1', output: 'over https\n' });
    } finally {
      if (agent.pid !== undefined) process.kill(-agent.pid, 'SIGTERM');
    }
  }, 120_000);

  test('files that cannot work are said before anything listens', async () => {
    const fleet = newFleet();
    const folder = fleet.path('tls');
    const { openssl } = makeCertificates(folder);
    openssl(
      'x509',
      '-req',
      '-in',
      'server.csr',
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-days',
      '-1',
      '-out',
      'old.pem',
    );
    openssl('pkey', '-in', 'server.key', '-aes256', '-passout', 'pass:x', '-out', 'locked.key');
    writeFileSync(`${folder}/text.pem`, 'hello');
    const serve = (cert: string, key: string) =>
      fleet.cli(
        [
          'serve',
          '--port',
          '0',
          '--data',
          fleet.path('d'),
          '--tls-cert',
          `tls/${cert}`,
          '--tls-key',
          `tls/${key}`,
        ],
        null,
      );
    for (const [cert, key, text] of [
      ['server.pem', 'other.key', 'tls/other.key is not the key of the certificate in tls/server.pem'],
      ['old.pem', 'server.key', 'the certificate in tls/old.pem expired on'],
      ['server.pem', 'locked.key', 'protected by a passphrase'],
      ['text.pem', 'server.key', 'holds no certificate'],
      ['server.key', 'server.pem', 'the wrong way round'],
      ['server.pem', 'none.key', '--tls-key: cannot read tls/none.key'],
    ] as const) {
      const result = await serve(cert, key);
      expect([result.code, result.stderr]).toEqual([2, expect.stringContaining(text)]);
    }
    expect(existsSync(fleet.path('d'))).toBe(false);
    const soon = fleet.start([
      'serve',
      '--port',
      '0',
      '--data',
      fleet.path('d'),
      '--tls-cert',
      `${folder}/soon.pem`,
      '--tls-key',
      `${folder}/soon.key`,
    ]);
    await joinCommand(soon);
    expect(soon.lines.join('\n')).toMatch(/warning: the certificate .* expires on/);
  });
});

describe('join tokens', () => {
  test('are the same after a restart, are listed, and replaced when revoked', async () => {
    const fleet = newFleet();
    const data = fleet.path('server');
    const start = async () => {
      const server = fleet.start(['serve', '--port', '0', '--data', data]);
      const command = await joinCommand(server);
      fleet.url = urlIn(command);
      return { server, token: /PLANFLEET_TOKEN=(\S+)/.exec(command)?.[1] ?? '' };
    };
    const first = await start();
    expect(statSync(`${data}/join-tokens.json`).mode & 0o777).toBe(0o600);
    await first.server.terminate();
    const second = await start();
    expect(second.token).toBe(first.token);
    const { token: login } = JSON.parse(readFileSync(`${data}/local-login.json`, 'utf8'));
    const listed = await fleet.cli(['tokens', 'list'], login);
    expect(listed.stdout.trim().split('\n')).toHaveLength(2);
    expect(listed.stderr).toContain('--signing-key');
    const jti =
      listed.stdout
        .split('\n')
        .find((line) => line.includes(' agents '))
        ?.split(' ')[0] ?? '';
    expect((await fleet.cli(['tokens', 'revoke', jti], login)).code).toBe(0);
    await second.server.terminate();
    const third = await start();
    expect(third.token).not.toBe(first.token);
  });
});

describe('up', () => {
  test('says how others join, and refuses a second one without touching the first', async () => {
    const fleet = newFleet();
    const alone = fleet.start(['up', '--port', '0', '--slots', '1']);
    await until('up to be up', () => alone.lines.some((line) => line.startsWith('planfleet is up')));
    await until('the hint', () => alone.lines.some((line) => line.includes('--host ADDRESS')));
    const login = readFileSync(fleet.path('data', 'planfleet', 'local-login.json'), 'utf8');
    for (const args of [['up'], ['up', '--port', '0']]) {
      const again = await fleet.cli(args, null);
      expect(again.code).toBe(3);
      expect(again.stderr).toContain(`planfleet is up already at ${JSON.parse(login).url}`);
    }
    const serve = await fleet.cli(['serve', '--port', new URL(JSON.parse(login).url).port], null);
    expect(serve.stderr).toContain('planfleet is up already');
    expect(readFileSync(fleet.path('data', 'planfleet', 'local-login.json'), 'utf8')).toBe(login);
    fleet.url = '';
    expect(await fleet.cli(['run', '--', 'echo', 'still up'], null)).toMatchObject({
      code: 0,
      stdout: 'still up\n',
    });
    await alone.terminate();

    const open = fleet.start(['up', '--host', '0.0.0.0', '--insecure-http', '--port', '0', '--slots', '1']);
    expect(await joinCommand(open)).toMatch(
      /^PLANFLEET_TOKEN=\S+ npx planfleet agent --url http:\/\/[^/:]+:\d+$/,
    );
  });
});
