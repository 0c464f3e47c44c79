import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { connect } from './client.mjs';

export const root = fileURLToPath(new URL('../../', import.meta.url));
const binary = join(root, 'agent/bin/planfleet.mjs');
/** For a process to end by itself; an idle one needs a fraction of a second. */
const END_MS = 15_000;
/** The kernel counts CPU time in these, on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/**
 * A folder and the planfleet processes of one part. Everything is real: each server and agent is a process of its
 * own, with the settings of production, and talks over loopback.
 */
export async function openWorkshop({ profile = null } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'planfleet-bench-'));
  const started = [];
  const env = environment(folder);
  const removeSignals = onInterrupt(() => {
    for (const { child } of started) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  function start(name, args, variables = {}) {
    const log = join(folder, `${name}.log`);
    const logFile = openSync(log, 'a');
    const flags = profile === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
    const child = spawn(process.execPath, [...flags, binary, ...args], {
      cwd: folder,
      env: { ...env, ...variables },
      stdio: ['ignore', 'pipe', logFile],
    });
    closeSync(logFile);
    const ended = new Promise((resolve) => {
      child.once('error', resolve);
      child.once('exit', resolve);
    });
    const handle = { name, log, child, ended, stop: () => stop(handle) };
    started.push(handle);
    return handle;
  }

  return {
    folder,
    async startServer({ name = 'server' } = {}) {
      const data = join(folder, name);
      const server = start(name, ['serve', '--json', '--port', '0', '--data', data]);
      const url = await untilListening(server);
      const { token } = JSON.parse(await readFile(join(data, 'local-login.json'), 'utf8'));
      const admin = connect(url, token);
      const made = await admin.post('/v1/tokens', {
        subject: 'bench',
        scopes: ['agent', 'submit', 'read'],
      });
      admin.close();
      return { ...server, url, data, token: made.token, database: join(data, 'planfleet.db') };
    },
    async startAgent(server, { name, slots }) {
      const args = ['agent', '--json', '--url', server.url, '--name', name, '--slots', String(slots)];
      const agent = start(`agent-${name}`, [...args, '--data', join(folder, name), '--grace', '1s'], {
        PLANFLEET_TOKEN: server.token,
      });
      agent.child.stdout.resume();
      return agent;
    },
    /** Agents first, so that they can still say goodbye. */
    async close() {
      for (const handle of started.reverse()) await stop(handle);
      removeSignals();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Ctrl-C leaves nothing behind either. */
function onInterrupt(clean) {
  const end = () => {
    clean();
    process.exit(130);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.once(signal, end);
  return () => {
    for (const signal of signals) process.off(signal, end);
  };
}

/** Its own configuration and data, so that a benchmark neither uses nor changes those of the user. */
function environment(folder) {
  const variables = { ...process.env };
  for (const name of Object.keys(variables))
    if (/^(PLANFLEET_|NODE_OPTIONS$|npm_)/.test(name)) delete variables[name];
  return { ...variables, XDG_CONFIG_HOME: join(folder, 'config'), XDG_DATA_HOME: join(folder, 'data') };
}

async function untilListening(server) {
  const listening = new Promise((resolve) => {
    createInterface({ input: server.child.stdout }).on('line', (line) => {
      const { event, url } = JSON.parse(line);
      if (event === 'listening') resolve(url);
    });
  });
  const failed = server.ended.then(async () => {
    throw new Error(`The server did not start:\n${await readFile(server.log, 'utf8')}`);
  });
  return Promise.race([listening, failed]);
}

async function stop({ child, ended }) {
  if (child.pid === undefined) return;
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), END_MS);
  await ended;
  clearTimeout(late);
}

/** CPU time that a process and its threads have used, in µs: utime + stime. */
export function cpuOf({ child }) {
  const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8');
  // The name of the program stands in parentheses and may hold anything; the 14th and 15th field come after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / TICKS_PER_SECOND;
}

/** Resident memory in MB, now and at its highest. */
export function memoryOf({ child }) {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const read = (name) => Math.round(Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1_024);
  return { rss_mb: read('VmRSS'), peak_mb: read('VmHWM') };
}
