import { execFile, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ensureInstalled } from '../../test/tools/ensure-installed.mjs';

// What `npm run demo` does: a real control plane, a real agent and a real plan, each its own process.

const root = fileURLToPath(new URL('../../', import.meta.url));
const binary = `${root}agent/bin/planfleet.mjs`;
const AGENT = 'demo';
/** For an idle agent and server to end by themselves; they need a fraction of a second. */
const END_MS = 10_000;

const env = demoEnvironment();
const running = [];
const startedAt = performance.now();

class DemoError extends Error {}

try {
  const interrupted = interruption();
  await Promise.race([runDemo(), interrupted]);
} catch (error) {
  console.error(`\nThe demo failed: ${error instanceof DemoError ? error.message : error.stack}`);
  process.exitCode = 1;
} finally {
  // The agent first, so that it can still say goodbye.
  for (const each of running.reverse()) await end(each);
}

async function runDemo() {
  ensureInstalled();
  const { buildPlanfleet } = await import('../../test/tools/build.mjs');
  await step('Building planfleet', buildPlanfleet);
  const { makeInvoices, readDemoInvoices } = await import('./make-invoices.mjs');
  const invoices = await readDemoInvoices();
  await rm(inDemo(''), { recursive: true, force: true });
  await mkdir(inDemo('invoices'), { recursive: true });
  await step(`Making ${invoices.length} PDF invoices`, () => makeInvoices(inDemo('invoices'), invoices));

  const server = start('control plane', ['serve', '--json', '--port', '0', '--data', '.demo/server'], env);
  const url = await listening(server);
  console.log(`Control plane at ${url}`);
  const token = await makeAgentToken(url);
  const agent = start(
    'agent',
    ['agent', '--json', '--url', url, '--name', AGENT, '--data', '.demo/agent', '--grace', '5s'],
    { ...env, PLANFLEET_TOKEN: token },
  );
  console.log(`Agent "${AGENT}" takes tasks\n`);

  const submission = [
    ['submit', 'plans/invoice_processor'],
    ['-i', 'INPUT_FOLDER=@.demo/invoices'],
    ['-i', 'OUTPUT_FILE=.demo/totals.csv'],
    ['--watch'],
  ].flat();
  console.log(`$ planfleet ${submission.join(' ')}`);
  await Promise.race([submit([...submission, '--url', url]), failsWhenEnded(server), failsWhenEnded(agent)]);
  await showResult();
}

/** Its own configuration and data, so that the demo neither uses nor changes those of the user. */
function demoEnvironment() {
  const variables = { ...process.env };
  for (const name of Object.keys(variables)) if (name.startsWith('PLANFLEET_')) delete variables[name];
  return { ...variables, XDG_CONFIG_HOME: inDemo('config'), XDG_DATA_HOME: inDemo('data') };
}

function inDemo(path) {
  return `${root}.demo/${path}`;
}

/** For people: from where they are. */
function shown(path) {
  return relative(process.cwd(), path) || '.';
}

function seconds(since) {
  return `${((performance.now() - since) / 1_000).toFixed(1)} s`;
}

async function step(text, work) {
  const since = performance.now();
  await work();
  console.log(`${text}: ${seconds(since)}`);
}

/** A planfleet process in a group of its own (Ctrl-C comes to this process alone), its log in a file. */
function start(name, args, variables) {
  const log = inDemo(`${name.replace(' ', '-')}.log`);
  const logFile = openSync(log, 'a');
  const child = spawn(process.execPath, [binary, ...args], {
    cwd: root,
    env: variables,
    detached: true,
    stdio: ['ignore', 'pipe', logFile],
  });
  closeSync(logFile);
  const ended = new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : signal));
  });
  const started = { name, log, child, ended };
  running.push(started);
  return started;
}

async function failsWhenEnded({ name, log, ended }) {
  const how = await ended;
  const text = await readFile(log, 'utf8').catch(() => '');
  const tail = text.trimEnd().split('\n').slice(-15).join('\n  ');
  throw new DemoError(`the ${name} ended by itself (${how}). The end of ${shown(log)}:\n  ${tail}`);
}

/** `serve --json` prints one line when it is ready. */
async function listening(server) {
  const first = new Promise((resolve) => {
    createInterface({ input: server.child.stdout }).on('line', (line) => {
      try {
        const { event, url } = JSON.parse(line);
        if (event === 'listening') resolve(url);
      } catch {
        // Not for us.
      }
    });
  });
  return Promise.race([first, failsWhenEnded(server)]);
}

async function makeAgentToken(url) {
  const args = [binary, 'tokens', 'create', '--scope', 'agent', '--agent', AGENT, '--url', url, '--json'];
  try {
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, env });
    return JSON.parse(stdout).token;
  } catch (error) {
    throw new DemoError(`no token for the agent: ${error.stderr || error.message}`);
  }
}

async function submit(args) {
  const child = spawn(process.execPath, [binary, ...args], {
    cwd: root,
    env,
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const ended = new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(code ?? signal));
  });
  running.push({ name: 'submission', child, ended });
  const code = await ended;
  if (code !== 0)
    throw new DemoError(`the submission ended with ${code}; the logs are in ${shown(inDemo(''))}`);
}

async function showResult() {
  const csv = await readFile(inDemo('totals.csv'), 'utf8');
  const expected = await readFile(new URL('expected.csv', import.meta.url), 'utf8');
  const lines = csv.trimEnd().split(/\r?\n/);
  console.log(`\nThe end of ${shown(inDemo('totals.csv'))} (${lines.length} lines):`);
  for (const line of lines.slice(-6)) console.log(`  ${line}`);
  if (csv !== expected) {
    throw new DemoError(
      `${shown(inDemo('totals.csv'))} is not what ${shown(fileURLToPath(new URL('expected.csv', import.meta.url)))} says`,
    );
  }
  console.log('It is exactly what plans/demo/expected.csv says.\n');
  console.log('Where everything is:');
  for (const [what, path] of [
    ['invoices', 'invoices'],
    ['spreadsheet', 'totals.csv'],
    ['server data', 'server'],
    ['agent data', 'agent'],
    ['server log', 'control-plane.log'],
    ['agent log', 'agent.log'],
  ])
    console.log(`  ${what.padEnd(12)} ${shown(inDemo(path))}`);
  console.log(`\nDone in ${seconds(startedAt)}. Next: npx planfleet up`);
}

/** Ctrl-C ends the demo like a failure does, with nothing left running. */
function interruption() {
  return new Promise((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
      process.once(signal, () => reject(new DemoError('it was interrupted')));
  });
}

/** Asks first; what is still there after that, with all it started, is ended. */
async function end({ child, ended }) {
  if (child.pid === undefined) return;
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
  const late = setTimeout(() => killGroup(child.pid), END_MS);
  await ended;
  clearTimeout(late);
}

function killGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Gone meanwhile.
  }
}
