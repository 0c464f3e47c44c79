import { BATCH_STATES, TASK_STATES } from '@planfleet/shared-types';
import { Hono } from 'hono';
import { type AppEnv, requireScope } from '../auth/require-scope.ts';
import type { Deps } from '../deps.ts';
import { type Metrics, RECENT_BATCHES, readMetrics } from '../store/queries/read-metrics.ts';

/** For Prometheus: `authorization: { credentials: TOKEN }` of a scrape configuration. */
export function metricRoutes(deps: Deps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.get('/', requireScope(deps, 'read'), async (c) => {
    const metrics = await readMetrics(deps.db);
    const text = describeMetrics(metrics, deps.clock.now(), deps.watch.size).map(writeMetric).join('');
    return c.body(text, 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
  });

  return app;
}

interface Metric {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  /** By the labels, as they stand in the text; no label: ''. */
  readonly samples: readonly (readonly [labels: string, value: number])[];
}

const LIVE_STATES = ['active', 'paused', 'cancelling'] as const;

function describeMetrics(metrics: Metrics, now: number, streams: number): Metric[] {
  const { live_batches, recent_batches, submitted, tasks, agents, last_tick_at } = metrics;
  const isLive = (state: string) => LIVE_STATES.some((live) => live === state);
  const connected = agents.filter(({ expires_at }) => expires_at !== null && expires_at > now);
  const slots = connected.reduce((sum, agent) => sum + agent.slots, 0);
  const leased = agents.reduce((sum, agent) => sum + agent.leased, 0);
  return [
    gauge('planfleet_batches', 'Batches that have not ended, by state.', [
      ...LIVE_STATES.map((state) => [label('state', state), live_batches[state] ?? 0] as const),
    ]),
    gauge(`planfleet_recent_batches`, `Outcomes among the newest ${RECENT_BATCHES} batches.`, [
      ...BATCH_STATES.filter((state) => !isLive(state)).map(
        (state) => [label('state', state), recent_batches[state] ?? 0] as const,
      ),
    ]),
    {
      name: 'planfleet_batches_submitted_total',
      type: 'counter',
      help: 'Batches ever submitted.',
      samples: [['', submitted]],
    },
    gauge('planfleet_tasks', 'Tasks of the batches that have not ended, by state.', [
      ...TASK_STATES.map((state) => [label('state', state), tasks[state]] as const),
    ]),
    gauge('planfleet_agents', 'Agents, by whether they were heard of in time.', [
      [label('state', 'connected'), connected.length],
      [label('state', 'missing'), agents.length - connected.length],
    ]),
    gauge('planfleet_slots', 'CPU slots of the connected agents.', [['', slots]]),
    gauge('planfleet_leases', 'Tasks that agents hold.', [['', leased]]),
    // Since 1970 before the first tick: an alert on the age then fires, as it should.
    gauge('planfleet_last_tick_timestamp_seconds', 'When the last tick began.', [['', last_tick_at / 1_000]]),
    gauge('planfleet_tick_age_seconds', 'Seconds since the last tick began.', [
      ['', Math.max(0, now - last_tick_at) / 1_000],
    ]),
    gauge('planfleet_event_streams', 'Streams of batch events that this instance holds.', [['', streams]]),
  ];
}

function gauge(name: string, help: string, samples: Metric['samples']): Metric {
  return { name, type: 'gauge', help, samples };
}

/** The values are ours and hold nothing to escape. */
function label(name: string, value: string): string {
  return `{${name}="${value}"}`;
}

function writeMetric({ name, type, help, samples }: Metric): string {
  const lines = samples.map(([labels, value]) => `${name}${labels} ${value}\n`).join('');
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines}`;
}
