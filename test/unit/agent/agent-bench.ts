import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, watch } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Report, StageSpec } from '@planfleet/shared-types';
import { build } from 'esbuild';
import { type AgentDeps, systemDeps } from '../../../agent/src/agent/agent-deps.ts';
import type { AgentOptions, RunningAgent } from '../../../agent/src/agent/agent-options.ts';
import { startAgent } from '../../../agent/src/agent/start-agent.ts';
import type { LogEntry } from '../../../agent/src/exec/attempt-order.ts';
import { FakeControlPlane } from '../../support/fake-control-plane.ts';

/** The folder of the fixture programs, quoted for a command: a checkout may lie in a folder with a space in its name. */
export const FIXTURES = `'${fileURLToPath(new URL('../../fixtures', import.meta.url))}'`;
export const BATCH_ID = '20261122_142233';

export interface AgentProcess {
  readonly child: ChildProcess;
  readonly exited: Promise<unknown>;
}

/** A control plane, a folder and the agents of one test; `close` leaves nothing behind. */
export class AgentBench {
  readonly log: LogEntry[] = [];
  readonly #agents: RunningAgent[] = [];
  readonly #processes: AgentProcess[] = [];
  readonly plane: FakeControlPlane;
  readonly folder: string;

  private constructor(plane: FakeControlPlane, folder: string) {
    this.plane = plane;
    this.folder = folder;
  }

  static async open(intervals: Parameters<typeof FakeControlPlane.start>[0] = {}): Promise<AgentBench> {
    const plane = await FakeControlPlane.start(intervals);
    return new AgentBench(plane, await mkdtemp(join(tmpdir(), 'planfleet-agent-')));
  }

  get data(): string {
    return join(this.folder, 'data');
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  options(changes: Partial<AgentOptions> = {}): AgentOptions {
    return {
      url: this.plane.url,
      token: this.plane.token,
      name: 'bench',
      data: this.data,
      slots: 4,
      labels: [],
      grace_ms: 5_000,
      log: (entry) => this.log.push(entry),
      ...changes,
    };
  }

  agent(changes: Partial<AgentOptions> = {}, deps?: AgentDeps): RunningAgent {
    const agent = startAgent(this.options(changes), deps);
    this.#agents.push(agent);
    return agent;
  }

  /** The same agent as a process of its own, which a test can kill. */
  async startProcess(changes: Partial<AgentOptions> = {}): Promise<AgentProcess> {
    const program = this.path('agent.mjs');
    await build({
      entryPoints: [fileURLToPath(new URL('../../fixtures/agent-process.ts', import.meta.url))],
      outfile: program,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      banner: {
        js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
      },
    });
    const { log: _, ...options } = this.options(changes);
    const child = spawn(process.execPath, [program, JSON.stringify(options)], { stdio: 'ignore' });
    const started = { child, exited: once(child, 'exit') };
    this.#processes.push(started);
    return started;
  }

  /** Runs one stage to its end and returns the report of its only task. */
  async report(changes: Partial<StageSpec>, item?: unknown): Promise<Report> {
    const spec = makeStage(changes);
    this.plane.offer(spec, [item]);
    const mine = () => this.plane.reports.find((report) => report.stage === spec.stage);
    await this.plane.until('the report', () => mine() !== undefined);
    const report = mine();
    if (report === undefined) throw new Error('no report');
    return report;
  }

  batchPath(planDigest = DIGEST): string {
    return join(this.data, 'plans', planDigest, 'history', BATCH_ID);
  }

  async close(): Promise<void> {
    for (const { child, exited } of this.#processes) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await exited;
    }
    for (const agent of this.#agents) agent.stop();
    await Promise.all(this.#agents.map((agent) => agent.done));
    await this.plane.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

export const DIGEST = 'd'.repeat(64);

let lastStage = 0;

export function makeStage(changes: Partial<StageSpec> = {}): StageSpec {
  lastStage += 1;
  return {
    stage: lastStage,
    batch_id: BATCH_ID,
    key: `stage${lastStage}`,
    plan_name: 'A plan',
    plan_digest: DIGEST,
    bundle: null,
    setup: null,
    inputs: {},
    command: 'true',
    env: {},
    timeout_ms: null,
    produces: [],
    lists: [],
    has_list: false,
    ...changes,
  };
}

/** Real everything, but waits pass faster: 10 s of patience are half a second. */
export function hastyDeps(factor = 20): AgentDeps {
  const deps = systemDeps();
  return { ...deps, timers: { set: (fire, ms) => deps.timers.set(fire, ms / factor) } };
}

/** Whether a process runs (one that is dead but not collected does not). */
export async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => null);
  if (stat === null) return false;
  return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
}

/** Waits for a file that a fixture program writes. */
export async function untilFile(path: string): Promise<string> {
  const enough = new AbortController();
  const read = () => readFile(path, 'utf8').catch(() => null);
  const watcher = watch(dirname(path), {
    signal: AbortSignal.any([enough.signal, AbortSignal.timeout(20_000)]),
  });
  try {
    const events = watcher[Symbol.asyncIterator]();
    for (;;) {
      const event = events.next();
      const text = await read();
      if (text !== null) {
        event.catch(() => undefined);
        return text.trim();
      }
      await event;
    }
  } finally {
    enough.abort();
  }
}
