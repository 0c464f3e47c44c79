import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { BatchView, Page, StageView, TaskDetail, TaskView } from '@planfleet/shared-types';
import { until } from './until.ts';

export { until };

const BINARY = fileURLToPath(new URL('../../agent/bin/planfleet.mjs', import.meta.url));

export interface ServerOptions {
  readonly port?: number;
  /** Shorter than the defaults, for tests of what a lease's end does. */
  readonly lease_ms?: number;
  readonly tick_ms?: number;
}

export interface AgentOptions {
  readonly slots?: number;
  readonly shared_dir?: string;
  readonly labels?: string;
  readonly grace?: string;
}

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A planfleet process of a test, with the JSON lines of its log. */
export class FleetProcess {
  readonly lines: string[] = [];
  readonly child: ChildProcess;
  readonly ended: Promise<void>;

  constructor(args: readonly string[], env: NodeJS.ProcessEnv) {
    this.child = spawn(process.execPath, [BINARY, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.ended = once(this.child, 'exit').then(() => undefined);
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.lines.push(line));
    }
  }

  /** SIGKILL: as a power cut sees it, nothing is tidied up. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  async terminate(): Promise<void> {
    this.child.kill('SIGTERM');
    await this.ended;
  }

  event(name: string): Record<string, unknown> | undefined {
    for (const line of this.lines) {
      if (!line.startsWith('{')) continue;
      const entry = JSON.parse(line) as Record<string, unknown>;
      if (entry['event'] === name) return entry;
    }
    return undefined;
  }

  isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }
}

/** A control plane and agents as real processes in a folder of their own (with a space in its name). */
export class Fleet {
  readonly folder = mkdtempSync(join(tmpdir(), 'planfleet fleet-'));
  readonly processes: FleetProcess[] = [];
  url = '';
  #admin: string | null = null;

  get env(): NodeJS.ProcessEnv {
    const { PLANFLEET_URL: _url, PLANFLEET_TOKEN: _token, ...env } = process.env;
    return { ...env, XDG_CONFIG_HOME: join(this.folder, 'config'), XDG_DATA_HOME: join(this.folder, 'data') };
  }

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  makeFolder(...parts: string[]): string {
    const path = this.path(...parts);
    mkdirSync(path, { recursive: true });
    return path;
  }

  start(args: readonly string[], env: NodeJS.ProcessEnv = this.env): FleetProcess {
    const process = new FleetProcess(args, env);
    this.processes.push(process);
    return process;
  }

  async startServer(options: ServerOptions = {}): Promise<FleetProcess> {
    const env = {
      ...this.env,
      ...(options.lease_ms === undefined ? {} : { PLANFLEET_LEASE_MS: String(options.lease_ms) }),
      ...(options.tick_ms === undefined ? {} : { PLANFLEET_TICK_MS: String(options.tick_ms) }),
    };
    const port = String(options.port ?? 0);
    const server = this.start(['serve', '--json', '--port', port, '--data', this.path('server')], env);
    const event = await until('the control plane to listen', () => {
      if (!server.isAlive()) throw new Error(`The control plane ended:\n${server.lines.join('\n')}`);
      return server.event('listening');
    });
    this.url = String(event['url']);
    return server;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** A token made offline from the server's signing key, with the scopes given. */
  async makeToken(scopes: readonly string[], extra: readonly string[] = []): Promise<string> {
    const args = ['tokens', 'create', '--json', '--signing-key', this.path('server', 'signing-key.json')];
    const result = await this.cli([...args, ...scopes.flatMap((scope) => ['--scope', scope]), ...extra]);
    if (result.code !== 0) throw new Error(`No token: ${result.stderr}`);
    return (JSON.parse(result.stdout) as { token: string }).token;
  }

  async adminToken(): Promise<string> {
    this.#admin ??= await this.makeToken(['admin', 'submit', 'read', 'operate', 'agent', 'tick']);
    return this.#admin;
  }

  async startAgent(name: string, options: AgentOptions = {}): Promise<FleetProcess> {
    const token = await this.makeToken(['agent'], ['--agent', name]);
    const agent = this.start(
      [
        ...['agent', '--json', '--url', this.url, '--name', name, '--data', this.path(`agent-${name}`)],
        ...['--slots', String(options.slots ?? 2), '--grace', options.grace ?? '5s'],
        ...(options.shared_dir === undefined ? [] : ['--shared-dir', options.shared_dir]),
        ...(options.labels === undefined ? [] : ['--labels', options.labels]),
      ],
      { ...this.env, PLANFLEET_TOKEN: token },
    );
    await until(`agent ${name} to be known`, async () => {
      if (!agent.isAlive()) throw new Error(`Agent ${name} ended:\n${agent.lines.join('\n')}`);
      const { items } = await this.get<Page<{ name: string }>>('/v1/agents');
      return items.some((each) => each.name === name);
    });
    return agent;
  }

  async request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (!headers.has('authorization')) headers.set('authorization', `Bearer ${await this.adminToken()}`);
    return fetch(this.url + path, { ...init, headers });
  }

  async get<T>(path: string): Promise<T> {
    const response = await this.request(path);
    if (!response.ok) throw new Error(`GET ${path} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** Submits a plan.md without a folder, as `curl --data-binary @plan.md` does; returns the batch id. */
  async submit(markdown: string, inputs: Record<string, string> = {}): Promise<string> {
    const query = new URLSearchParams(inputs);
    const response = await this.request(`/v1/batches?${query}`, {
      method: 'POST',
      headers: { 'content-type': 'text/markdown' },
      body: markdown,
    });
    if (response.status !== 201)
      throw new Error(`Submission answered ${response.status}: ${await response.text()}`);
    return ((await response.json()) as { batch_id: string }).batch_id;
  }

  batch(id: string): Promise<BatchView> {
    return this.get(`/v1/batches/${id}`);
  }

  async stages(id: string): Promise<Map<string, StageView>> {
    const { items } = await this.get<Page<StageView>>(`/v1/batches/${id}/stages?limit=500`);
    return new Map(items.map((stage) => [stage.key, stage]));
  }

  async tasks(id: string): Promise<TaskView[]> {
    const tasks: TaskView[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: Page<TaskView> = await this.get(
        `/v1/batches/${id}/tasks?limit=500${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      tasks.push(...page.items);
      cursor = page.next_cursor;
    }
    return tasks;
  }

  task(id: string): Promise<TaskDetail> {
    return this.get(`/v1/tasks/${id}`);
  }

  async untilEnded(id: string, timeout_ms = 60_000): Promise<BatchView> {
    return until(
      `batch ${id} to end`,
      async () => {
        const batch = await this.batch(id).catch(() => undefined);
        return batch !== undefined && batch.finished_at !== null ? batch : undefined;
      },
      timeout_ms,
    );
  }

  /** Runs the CLI as a user would, with the admin token. `cwd` is the test's folder. */
  async cli(args: readonly string[], token: string | null = this.#admin): Promise<CliResult> {
    const env = {
      ...this.env,
      ...(this.url === '' ? {} : { PLANFLEET_URL: this.url }),
      ...(token === null ? {} : { PLANFLEET_TOKEN: token }),
      NO_COLOR: '1',
    };
    const child = spawn(process.execPath, [BINARY, ...args], {
      env,
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const [code] = (await once(child, 'close')) as [number | null];
    return { code: code ?? -1, stdout, stderr };
  }

  async close(): Promise<void> {
    for (const process of [...this.processes].reverse()) {
      if (!process.isAlive()) continue;
      process.child.kill('SIGTERM');
      const deadline = setTimeout(() => process.child.kill('SIGKILL'), 8_000);
      await process.ended;
      clearTimeout(deadline);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
