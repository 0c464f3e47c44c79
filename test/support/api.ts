import { createHash } from 'node:crypto';
import type { ClaimAnswer, RegisterRequest, Report, Submitted } from '@planfleet/shared-types';
import { expect } from 'vitest';
import { readJson, type TestApp } from './test-app.ts';

export const hashOf = (content: Uint8Array | string) => createHash('sha256').update(content).digest('hex');

/** A plan of shell tasks, each `[id, depends_on]`, that validates without a word. */
export function planOf(...tasks: readonly (readonly [string, string?])[]): string {
  const parts = tasks.map(
    ([id, after = 'none']) =>
      `### ${id}\n- **command**: \`echo ${id}\`\n- **task_class**: cpu\n- **depends_on**: ${after}\n`,
  );
  return `# Plan: Test\n\n## Goal\nTest.\n\n## Tasks\n${parts.join('\n')}`;
}

/** A plan of one task over an inline list of so many items. */
export function listPlan(items: number): string {
  const list = JSON.stringify(Array.from({ length: items }, (_, id) => ({ id })));
  return `# Plan: List\n\n## Goal\nTest.\n\n## Tasks\n### each\n- **command**: \`echo {ITEM.id}\`\n- **task_class**: cpu\n- **foreach**: \`${list}\`\n`;
}

export async function submitPlan(server: TestApp, markdown: string, query = ''): Promise<Submitted> {
  const headers = { 'content-type': 'text/markdown' };
  const response = await server.ask('submit', 'POST', `/v1/batches${query}`, markdown, headers);
  const text = await response.clone().text();
  expect([response.status, text]).toEqual([201, text]);
  return readJson<Submitted>(response);
}

export function registration(name: string, change: Partial<RegisterRequest> = {}): RegisterRequest {
  return {
    protocol: 1,
    name,
    boot_id: `boot-${name}`.padEnd(8, '-'),
    started_at: 1,
    hostname: 'host',
    version: '0.1.0',
    slots: 4,
    labels: [],
    storage: 'disk',
    have: [],
    ...change,
  };
}

/** Registers an agent; its session. */
export async function register(
  server: TestApp,
  name: string,
  change?: Partial<RegisterRequest>,
): Promise<number> {
  const response = await server.ask('agent', 'POST', '/v1/agents/register', registration(name, change));
  expect(response.status).toBe(200);
  return (await readJson<{ session: number }>(response)).session;
}

export async function claim(
  server: TestApp,
  name: string,
  session: number,
  change: { slots?: number; have?: number[]; wait?: number } = {},
): Promise<ClaimAnswer> {
  const { slots = 4, have = [], wait = 0 } = change;
  const path = `/v1/agents/${name}/claim?wait=${wait}`;
  const response = await server.ask('agent', 'POST', path, { session, slots, have });
  expect(response.status).toBe(200);
  return readJson<ClaimAnswer>(response);
}

/** The report of a task that went well. */
export function report(lease: ClaimAnswer['leases'][number], change: Partial<Report> = {}): Report {
  return {
    stage: lease.stage,
    ordinal: lease.ordinal,
    lease: lease.lease,
    attempt: lease.attempt,
    outcome: 'succeeded',
    error_type: null,
    message: null,
    exit_code: 0,
    signal: null,
    tail: 'done\n',
    started_at: 1_795_348_800_000,
    ended_at: 1_795_348_801_000,
    lists: [],
    files: [],
    ...change,
  };
}

/** A list that one task writes and another goes through. */
export const LIST_PLAN = `# Plan: List

## Goal
Test.

## Tasks
### scan
- **command**: \`scan > {BATCH_PATH}/list.json\`
- **task_class**: cpu
- **produces**: list.json

### each
- **command**: \`echo {ITEM}\`
- **task_class**: cpu
- **depends_on**: scan
- **foreach**: \`{BATCH_PATH}/list.json:items\`
`;
