import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type ClaimAnswer,
  type ClaimRequest,
  claimRequestSchema,
  ERROR_CODES,
  type ErrorCode,
  type HeartbeatRequest,
  heartbeatRequestSchema,
  itemsRequestSchema,
  type LeasedTask,
  type LeaseKey,
  type LogChunk,
  logsRequestSchema,
  type RegisterAnswer,
  type RegisterRequest,
  type Report,
  registerRequestSchema,
  resultsRequestSchema,
  type StageSpec,
  type Stop,
} from '@planfleet/shared-types';

export type Route = 'register' | 'claim' | 'results' | 'heartbeat' | 'items' | 'logs' | 'missing' | 'blob';

interface Lease {
  readonly task: LeasedTask;
  readonly spec: StageSpec;
}

/** One request, as it came in. */
interface Seen {
  readonly route: Route;
  readonly body: unknown;
}

const DEFAULTS: Omit<RegisterAnswer, 'session'> = {
  lease_ms: 4_000,
  heartbeat_ms: 200,
  poll_ms: 2_000,
  internal_cycle_ms: 1_000,
};

/**
 * A control plane in memory behind a real HTTP server. It leases, takes reports and refuses what the real
 * one refuses; it can be down, lose answers, and answer anything else instead.
 */
export class FakeControlPlane {
  readonly blobs = new Map<string, Buffer>();
  readonly reports: Report[] = [];
  /** Reports that came for leases that were over. */
  readonly late: Report[] = [];
  readonly seen: Seen[] = [];
  /** Items by list and lease, in order of their offsets. */
  readonly items = new Map<string, Map<number, { sha256: string; items: unknown[] }>>();
  /** Live output, in the order in which it came. */
  readonly logChunks: LogChunk[] = [];
  /** Log files that came after their reports. */
  readonly arrivedLogs: string[] = [];
  /** Uploads hang until this resolves. */
  uploadsWaitFor: Promise<void> = Promise.resolve();
  readonly registrations: RegisterRequest[] = [];
  readonly beats: HeartbeatRequest[] = [];
  /** Answers of this kind are prepared, and then never arrive. */
  readonly loses = new Map<Route, number>();
  /** Answers of this kind are replaced. */
  readonly replaces = new Map<Route, { status: number; body: string }[]>();
  token = 'test-token';
  isDown = false;
  /** Claims that came in. */
  claims = 0;
  /** Whether tasks that are handed back become ready again. */
  leasesAgain = false;
  /** Requests that hold such a report are refused as a whole. */
  refuses: (report: Report) => boolean = () => false;
  /** Leases it grants beyond the slots. */
  overcommits = 0;
  /** Which answers bring stops; any when null. */
  stopsComeBy: 'claim' | 'heartbeat' | null = null;
  readonly #server: Server;
  readonly #intervals: Omit<RegisterAnswer, 'session'>;
  readonly #ready: { task: Omit<LeasedTask, 'lease'>; spec: StageSpec }[] = [];
  readonly #live = new Map<string, Lease>();
  readonly #stops = new Map<string, Stop>();
  readonly #watchers = new Set<() => void>();
  #session = 0;
  #lease = 100;

  private constructor(server: Server, intervals: Omit<RegisterAnswer, 'session'>) {
    this.#server = server;
    this.#intervals = intervals;
    server.on('request', (request, response) => {
      this.#handle(request, response).catch((error: unknown) => {
        if (!response.headersSent) problem(response, 'internal', String(error));
      });
    });
  }

  static async start(intervals: Partial<typeof DEFAULTS> = {}): Promise<FakeControlPlane> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FakeControlPlane(server, { ...DEFAULTS, ...intervals });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get session(): number {
    return this.#session;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** Makes tasks ready; a stage without a list has one. */
  offer(spec: StageSpec, items: readonly unknown[] = [undefined]): void {
    items.forEach((item, ordinal) => {
      const task = { stage: spec.stage, ordinal, attempt: 1, ...(item === undefined ? {} : { item }) };
      this.#ready.push({ task, spec });
    });
    this.#changed();
  }

  /** Makes one task ready that has a group of items. */
  offerGroup(spec: StageSpec, group: NonNullable<LeasedTask['group']>): void {
    this.#ready.push({ task: { stage: spec.stage, ordinal: 0, attempt: 1, group }, spec });
    this.#changed();
  }

  /** Tells the agent, by whatever it asks next, to end these. */
  stop(keys: readonly LeaseKey[], kind: Stop['kind'] = 'stop'): void {
    for (const key of keys) this.#stops.set(keyOf(key), { ...key, kind });
    this.#changed();
  }

  /** Signals that no answer has carried yet. */
  get stopsLeft(): number {
    return this.#stops.size;
  }

  /** Lets a lease end, as if it had run out. */
  expire(key: LeaseKey): void {
    this.#live.delete(keyOf(key));
    this.#changed();
  }

  liveLeases(): LeaseKey[] {
    return [...this.#live.values()].map(({ task }) => ({
      stage: task.stage,
      ordinal: task.ordinal,
      lease: task.lease,
    }));
  }

  putBlob(content: Buffer): string {
    const sha256 = createHash('sha256').update(content).digest('hex');
    this.blobs.set(sha256, content);
    return sha256;
  }

  goDown(): void {
    this.isDown = true;
    this.#server.closeAllConnections();
  }

  comeUp(): void {
    this.isDown = false;
  }

  /** Resolves as soon as the condition holds; looked at again after every request. */
  async until(what: string, holds: () => boolean, ms = 20_000): Promise<void> {
    if (holds()) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#watchers.delete(look);
        reject(new Error(`waited ${ms} ms for: ${what}`));
      }, ms);
      const look = () => {
        if (!holds()) return;
        clearTimeout(timer);
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
    });
  }

  untilReports(count: number): Promise<void> {
    return this.until(`${count} reports`, () => this.reports.length >= count, 30_000);
  }

  count(route: Route): number {
    return this.seen.filter((entry) => entry.route === route).length;
  }

  #changed(): void {
    for (const look of [...this.#watchers]) look();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.isDown) {
      request.socket.destroy();
      return;
    }
    const url = new URL(request.url ?? '/', 'http://fake');
    const body = await readBody(request);
    const route = routeOf(url.pathname);
    if (route === null) return problem(response, 'not_found', url.pathname);
    const json: unknown = route === 'blob' ? null : JSON.parse(body.toString('utf8'));
    this.seen.push({ route, body: json });
    const replaced = this.replaces.get(route)?.shift();
    if (replaced !== undefined) {
      response.writeHead(replaced.status, { 'content-type': 'application/json' }).end(replaced.body);
      this.#changed();
      return;
    }
    if (request.headers.authorization !== `Bearer ${this.token}`) {
      return problem(response, 'bad_token', 'The token is unknown');
    }
    if (route === 'blob' && request.method === 'PUT') await this.uploadsWaitFor;
    if (route === 'blob') this.#answerBlob(request, response, url.pathname.slice('/v1/blobs/'.length), body);
    else await this.#answerJson(route, json, url, request, response);
    this.#changed();
  }

  async #answerJson(
    route: Exclude<Route, 'blob'>,
    json: unknown,
    url: URL,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const answer = await this.#answer(
      route,
      json,
      Number(url.searchParams.get('wait') ?? 0) * 1_000,
      request,
    );
    const losing = this.loses.get(route) ?? 0;
    if (this.isDown || losing > 0) {
      this.loses.set(route, losing - 1);
      request.socket.destroy();
      return;
    }
    if (typeof answer === 'string') return problem(response, answer, `refused: ${answer}`);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }

  async #answer(
    route: Exclude<Route, 'blob'>,
    json: unknown,
    waitMs: number,
    request: IncomingMessage,
  ): Promise<object | ErrorCode> {
    switch (route) {
      case 'register':
        return this.#register(registerRequestSchema.parse(json));
      case 'claim': {
        const claim = claimRequestSchema.parse(json);
        if (claim.session !== this.#session) return 'session_superseded';
        this.claims += 1;
        return this.#claimWithin(claim, waitMs, request);
      }
      case 'results': {
        const { session, reports, claim } = resultsRequestSchema.parse(json);
        if (session !== this.#session) return 'session_superseded';
        if (reports.some((report) => this.refuses(report))) return 'invalid';
        const results = reports.map((report) => this.#takeReport(report));
        return { results, claim: claim === null ? null : this.#claim(claim) };
      }
      case 'heartbeat': {
        const beat = heartbeatRequestSchema.parse(json);
        if (beat.session !== this.#session) return 'session_superseded';
        this.beats.push(beat);
        const gone = beat.running.filter((key) => !this.#live.has(keyOf(key)));
        return { stops: this.#takeStops('heartbeat'), gone };
      }
      case 'items': {
        const { list, lease, chunks } = itemsRequestSchema.parse(json);
        const key = `${list}:${lease}`;
        const known = this.items.get(key) ?? new Map();
        this.items.set(key, known);
        for (const chunk of chunks) {
          const sha256 = createHash('sha256').update(JSON.stringify(chunk.items)).digest('hex');
          if (sha256 !== chunk.sha256) return 'invalid';
          known.set(chunk.offset, { sha256, items: chunk.items });
        }
        return {};
      }
      case 'logs': {
        const { session, chunks, arrived } = logsRequestSchema.parse(json);
        if (session !== this.#session) return 'session_superseded';
        this.arrivedLogs.push(...arrived.map((log) => log.sha256));
        const isLive = chunks.map((chunk) => this.#live.has(keyOf(chunk)));
        this.logChunks.push(...chunks.filter((_, place) => isLive[place]));
        return { refused: isLive.flatMap((live, place) => (live ? [] : [place])), pace_ms: 250 };
      }
      case 'missing': {
        const { sha256 } = json as { sha256: string[] };
        return { missing: sha256.filter((sha) => !this.blobs.has(sha)) };
      }
    }
  }

  #register(request: RegisterRequest): RegisterAnswer {
    this.registrations.push(request);
    this.#session += 1;
    const kept = new Set(request.have.map(keyOf));
    for (const [key, lease] of this.#live) {
      if (kept.has(key)) continue;
      this.#live.delete(key);
      const { lease: _, ...task } = lease.task;
      this.#ready.push({ task: { ...task, attempt: task.attempt + 1 }, spec: lease.spec });
    }
    return { session: this.#session, ...this.#intervals };
  }

  async #claimWithin(claim: ClaimRequest, waitMs: number, request: IncomingMessage): Promise<ClaimAnswer> {
    const since = performance.now();
    const until = since + waitMs;
    for (;;) {
      const answer = this.#claim(claim);
      const now = performance.now();
      const left = until - now;
      if (answer.leases.length > 0 || answer.stops.length > 0)
        return { ...answer, waited_ms: Math.floor(now - since) };
      if (left <= 0 || request.socket.destroyed) return answer;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(finish, left);
        const watchers = this.#watchers;
        const look = () => finish();
        function finish() {
          clearTimeout(timer);
          watchers.delete(look);
          request.socket.off('close', finish);
          resolve();
        }
        watchers.add(look);
        request.socket.once('close', finish);
      });
      if (request.socket.destroyed) return { leases: [], stages: [], stops: [] };
    }
  }

  #claim(claim: ClaimRequest): ClaimAnswer {
    while (this.#live.size < claim.slots + this.overcommits) {
      const next = this.#ready.shift();
      if (next === undefined) break;
      this.#lease += 1;
      const task: LeasedTask = { ...next.task, lease: this.#lease };
      this.#live.set(keyOf(task), { task, spec: next.spec });
    }
    const have = new Set(claim.have);
    const given = [...this.#live.values()].filter(({ task }) => !have.has(task.lease));
    const stages = new Map(given.map(({ spec }) => [spec.stage, spec]));
    return {
      leases: given.map(({ task }) => task),
      stages: [...stages.values()],
      stops: this.#takeStops('claim'),
    };
  }

  #takeStops(by: 'claim' | 'heartbeat'): Stop[] {
    if (this.stopsComeBy !== null && this.stopsComeBy !== by) return [];
    const stops = [...this.#stops.values()];
    this.#stops.clear();
    return stops;
  }

  #takeReport(report: Report): 'accepted' | 'lease_lost' | 'items_incomplete' {
    const lease = this.#live.get(keyOf(report));
    if (lease === undefined) {
      this.late.push(report);
      return 'lease_lost';
    }
    for (const list of report.lists) {
      const known = this.items.get(`${list.list}:${report.lease}`);
      const chunks = [...(known?.entries() ?? [])].sort(([a], [b]) => a - b).map(([, chunk]) => chunk);
      if (chunks.map((chunk) => chunk.sha256).join() !== list.chunks.join()) return 'items_incomplete';
    }
    this.#live.delete(keyOf(report));
    this.reports.push(report);
    if (report.outcome === 'returned' && this.leasesAgain) {
      const { lease: _, ...task } = lease.task;
      this.#ready.push({ task: { ...task, attempt: task.attempt + 1 }, spec: lease.spec });
    }
    return 'accepted';
  }

  #answerBlob(request: IncomingMessage, response: ServerResponse, sha256: string, body: Buffer): void {
    if (request.method === 'PUT') {
      if (createHash('sha256').update(body).digest('hex') !== sha256) {
        problem(response, 'invalid', 'The content has another digest');
        return;
      }
      this.blobs.set(sha256, body);
      response.writeHead(204).end();
      return;
    }
    const content = this.blobs.get(sha256);
    if (content === undefined) problem(response, 'not_found', `No blob ${sha256}`);
    else response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(content);
  }
}

function keyOf(key: LeaseKey): string {
  return `${key.stage}:${key.ordinal}:${key.lease}`;
}

function routeOf(path: string): Route | null {
  if (path === '/v1/agents/register') return 'register';
  if (path === '/v1/blobs/missing') return 'missing';
  if (path.startsWith('/v1/blobs/')) return 'blob';
  const match = /^\/v1\/agents\/[^/]+\/(claim|results|heartbeat|items|logs)$/.exec(path);
  return match === null ? null : (match[1] as Route);
}

function problem(response: ServerResponse, code: ErrorCode, detail: string): void {
  const { status, title } = ERROR_CODES[code];
  response
    .writeHead(status, { 'content-type': 'application/problem+json' })
    .end(JSON.stringify({ type: `about:blank#${code}`, title, status, detail, code }));
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces);
}
