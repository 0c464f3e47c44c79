const NO_TASKS = {
  total: 0,
  waiting: 0,
  ready: 0,
  leased: 0,
  backoff: 0,
  succeeded: 0,
  abandoned: 0,
  skipped: 0,
  cancelled: 0,
};

export const BATCH = '20261122_142233';

export function sampleBatch(state: string, counts: Partial<typeof NO_TASKS> = {}) {
  const ended = ['succeeded', 'failed', 'cancelled'].includes(state);
  return {
    ...NO_TASKS,
    ...counts,
    id: BATCH,
    plan_name: 'Invoice Processor',
    state,
    priority: 5,
    submitted_by: 'ann',
    created_at: '2026-11-22T14:22:33.000Z',
    finished_at: ended ? '2026-11-22T14:22:45.300Z' : null,
  };
}

export function sampleStage(key: string, counts: Partial<typeof NO_TASKS>, state = 'open', expanded = true) {
  return {
    ...NO_TASKS,
    ...counts,
    key,
    description: null,
    state,
    task_class: 'cpu',
    depends_on: [],
    expanded,
  };
}

export function sampleTask(ordinal: number, state = 'abandoned') {
  return {
    id: `${BATCH}:extract:${ordinal}`,
    name: `extract_inv-${ordinal}`,
    stage: 'extract',
    ordinal,
    state,
    attempts: 3,
    tries: 3,
    losses: 0,
    agent: null,
    not_before: null,
    item: { id: `inv-${ordinal}`, path: `march/inv ${ordinal}.pdf` },
  };
}

export function sampleAttempt(attempt: number, tail: string) {
  return {
    attempt,
    agent: 'rig1',
    outcome: 'failed',
    error_type: 'worker',
    message: 'the command failed',
    exit_code: 4,
    signal: null,
    late: false,
    claimed_at: '2026-11-22T14:22:34.000Z',
    started_at: '2026-11-22T14:22:34.100Z',
    ended_at: '2026-11-22T14:22:35.100Z',
    tail,
  };
}

export function page(items: unknown[], next: string | null = null) {
  return { json: { items, next_cursor: next } };
}

export function sampleSubmitted() {
  return {
    batch_id: BATCH,
    plan_name: 'Invoice Processor',
    plan_version: null as number | null,
    stages: 3,
    tasks: 2,
    diagnostics: [],
    links: { self: `/v1/batches/${BATCH}` },
  };
}

export function sampleDiagnostic(
  severity: 'error' | 'warning',
  code: string,
  message: string,
  place: [number, number],
) {
  return { severity, code, rule: 'some_rule', subject: 'x', message, line: place[0], column: place[1] };
}
