import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, readFile, statfs } from 'node:fs/promises';
import { cpus, freemem, release, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { formatSize } from '../format-size.ts';
import { type Finding, failed, info, ok, warning } from './finding.ts';

/** What of this machine an agent, or a control plane, needs. */
export async function checkMachine(data: string): Promise<Finding[]> {
  const checks = [
    checkNode(process.versions.node),
    checkPlatform(process.platform),
    checkBash(),
    ...(process.platform === 'linux' ? [checkProc(), checkFileHandles(), checkCgroups()] : []),
    checkFolder(data),
    checkGpu(),
  ];
  return Promise.all(checks);
}

export function checkNode(version: string): Finding {
  const major = Number(version.split('.')[0]);
  if (major >= 20) return ok('node', version);
  return failed('node', `${version} is too old`, 'Install Node 20 or newer: https://nodejs.org');
}

export function checkPlatform(platform: string): Finding {
  const machine = `${cpus().length} processors, ${formatSize(totalmem())} memory (${formatSize(freemem())} free)`;
  if (platform === 'linux') return ok('system', `Linux ${release()}, ${machine}`);
  if (platform === 'darwin')
    return warning('system', `macOS, ${machine}`, 'All commands work but agent and up: agents run on Linux.');
  return failed('system', `${platform} is not supported`, 'Use Linux, macOS, or WSL2 on Windows.');
}

async function checkBash(): Promise<Finding> {
  const answer = await runProgram('bash', ['--version']);
  const version = answer === null ? undefined : /version (\S+)/.exec(answer)?.[1];
  if (version !== undefined) return ok('bash', version);
  return failed('bash', 'not found', 'Tasks are bash commands: install the package bash.');
}

/** Children that left their process group are found there, and a restarted agent finds what it had started. */
async function checkProc(): Promise<Finding> {
  try {
    await Promise.all([readFile('/proc/self/stat'), readFile('/proc/self/environ')]);
    return ok('/proc', 'readable');
  } catch (error) {
    return failed('/proc', (error as Error).message, 'An agent needs it to end processes: mount it.');
  }
}

/** A task takes about ten, a connection one. */
const FEW_HANDLES = 1_024;

async function checkFileHandles(): Promise<Finding> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const found = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
  if (found === undefined) return info('file handles', 'the limit is not known');
  if (found === 'unlimited' || Number(found) >= FEW_HANDLES) return ok('file handles', found);
  return warning('file handles', `only ${found}`, 'With many tasks at once they run out: ulimit -n 65536');
}

async function checkCgroups(): Promise<Finding> {
  const controllers = await readFile('/sys/fs/cgroup/cgroup.controllers', 'utf8').catch(() => null);
  if (controllers === null) return info('cgroup v2', 'not there; processes are found by /proc alone');
  return info('cgroup v2', controllers.trim() || 'there, without controllers');
}

const LITTLE_SPACE = 5e9;
const NO_SPACE = 2e8;

/** The folder, or the nearest one above it that is there: it is made at the first start. */
async function checkFolder(folder: string): Promise<Finding> {
  const name = 'data folder';
  for (let place = folder; ; place = dirname(place)) {
    try {
      await access(place, constants.W_OK | constants.X_OK);
      const { bavail, bsize } = await statfs(place);
      return checkSpace(name, folder, bavail * bsize);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' && place !== dirname(place)) continue;
      return failed(
        name,
        `${folder} cannot be written: ${message}`,
        'Name another with --data, or change its owner.',
      );
    }
  }
}

export function checkSpace(name: string, folder: string, free: number): Finding {
  const detail = `${folder}, ${formatSize(free)} free`;
  if (free < NO_SPACE)
    return failed(name, detail, 'Make room, or name a folder on another disk with --data.');
  if (free < LITTLE_SPACE) return warning(name, detail, 'Batches keep their files here; make room in time.');
  return ok(name, detail);
}

async function checkGpu(): Promise<Finding> {
  const answer = await runProgram('nvidia-smi', ['--query-gpu=name,memory.total', '--format=csv,noheader']);
  if (answer === null) return info('gpu', 'no nvidia-smi: CPU tasks only, which is fine');
  const cards = answer
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (cards.length === 0)
    return warning('gpu', 'nvidia-smi lists no card', 'Is the driver loaded? Run nvidia-smi.');
  return ok('gpu', cards.join('; '));
}

/** nvidia-smi can hang when a card does. */
const PROGRAM_MS = 5_000;

/** What it printed, or null. */
async function runProgram(program: string, args: readonly string[]): Promise<string | null> {
  try {
    return (await promisify(execFile)(program, args, { timeout: PROGRAM_MS, killSignal: 'SIGKILL' })).stdout;
  } catch {
    return null;
  }
}
