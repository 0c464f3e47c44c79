import { statSync } from 'node:fs';
import { connect } from './client.mjs';
import { inlinePlan, LIST_PLAN, makeItems } from './plans.mjs';
import { cpuOf, memoryOf, openWorkshop } from './processes.mjs';
import { formatTable, median, round } from './table.mjs';
import { startWireAgent } from './wire-agent.mjs';

/**
 * Small batches are repeated: the kernel counts CPU time in 10 ms, as much as a hundred tasks cost. Forth and back,
 * so that a machine that becomes slower or faster meanwhile favours none of the sizes.
 */
const COURSE = [
  { tasks: 1_000, batches: 15 },
  { tasks: 10_000, batches: 2 },
  { tasks: 100_000, batches: 1 },
  { tasks: 1_000, batches: 15 },
  { tasks: 10_000, batches: 2 },
  { tasks: 1_000, batches: 15 },
  // What a batch costs before its first task: submission, scan, list, end.
  { tasks: 1, batches: 50 },
];
const SIZES = [1_000, 10_000, 100_000];
/** Longer lists come in files: a task of a plan.md has at most 100,000 characters. */
const INLINE_SIZES = [1_000, 10_000];
const SLOTS = [16, 64];
/** V8 goes on compiling for some ten thousand tasks, which would make the first size look dear. */
const WARM_UP = { tasks: 1_000, batches: 12 };
const LIMIT = 1.3;

/**
 * Is a task as cheap in a batch of 100,000 as in one of 1,000? CPU time of the control plane per task, with an
 * agent that spawns nothing.
 */
export async function runScale({ profile }) {
  const workshop = await openWorkshop({ profile });
  try {
    const server = await workshop.startServer();
    const measured = [];
    for (const [leg, size] of [WARM_UP, ...COURSE].entries())
      for (const slots of SLOTS) {
        // One at a time: two would take each other's tasks.
        const agent = await startWireAgent(server, { name: `bench-${slots}`, slots });
        const costs = await runBatches(server, agent, size);
        if (leg > 0) measured.push({ slots, ...size, ...costs, ...memoryOf(server) });
        await agent.close();
      }
    await server.stop();
    const finished = [WARM_UP, ...COURSE].reduce((sum, size) => sum + size.tasks * size.batches, 0);
    const bytes_per_task = statSync(server.database).size / (finished * SLOTS.length);
    return summarize({ measured, inline: await runInline(workshop), bytes_per_task });
  } finally {
    await workshop.close();
  }
}

/** One after the other, each from its submission until its last task is accepted. */
async function runBatches(server, agent, { tasks, batches }) {
  agent.bringList(makeItems(tasks));
  const { cpu, wall } = await measure(server, async () => {
    for (let batch = 0; batch < batches; batch++) {
      await Promise.all([agent.work(tasks + 1), agent.client.submit(LIST_PLAN)]);
    }
  });
  return { cpu: cpu / tasks / batches, wall: wall / tasks / batches };
}

/** The list stands in the plan itself: how long the answer to the submission takes, and what the expansion after it. */
async function runInline(workshop) {
  const server = await workshop.startServer({ name: 'inline' });
  const client = connect(server.url, server.token);
  await client.submit(inlinePlan([...Array(1_000).keys()]));
  const measured = [];
  for (const tasks of INLINE_SIZES) {
    const plan = inlinePlan([...Array(tasks).keys()]);
    const { cpu, wall, value } = await measure(server, () => client.submit(plan));
    const expansion = await measure(server, () => untilExpanded(client, value.batch_id));
    measured.push({
      tasks,
      answer_ms: wall / 1_000,
      submit_cpu: cpu / tasks,
      expand_cpu: expansion.cpu / tasks,
    });
  }
  client.close();
  await server.stop();
  return measured;
}

function untilExpanded(client, batch_id) {
  return client.untilStages(batch_id, (stages) => stages.every((stage) => stage.expanded), 50);
}

async function measure(server, run) {
  const cpu = cpuOf(server);
  const started = performance.now();
  const value = await run();
  return { value, cpu: cpuOf(server) - cpu, wall: (performance.now() - started) * 1_000 };
}

function summarize({ measured, inline, bytes_per_task }) {
  const rows = SLOTS.flatMap((slots) =>
    [1, ...SIZES].map((tasks) => {
      const runs = measured.filter((run) => run.slots === slots && run.tasks === tasks);
      return {
        slots,
        tasks,
        cpu: median(runs.map((run) => run.cpu)),
        wall: median(runs.map((run) => run.wall)),
        rss_mb: Math.max(...runs.map((run) => run.rss_mb)),
        peak_mb: Math.max(...runs.map((run) => run.peak_mb)),
      };
    }),
  );
  const ratios = SLOTS.map((slots) => {
    const own = rows.filter((row) => row.slots === slots && row.tasks > 1).map((row) => row.cpu);
    const batch = rows.find((row) => row.slots === slots && row.tasks === 1).cpu;
    const work = SIZES.map((tasks, index) => own[index] - batch / tasks);
    return { slots, total: ratio(own), work: ratio(work), batch_ms: batch / 1_000 };
  });
  const passed = ratios.every(({ total }) => total <= LIMIT);
  const text = [
    formatTable(
      ['tasks', 'slots', 'CPU µs/task', 'wall µs/task', 'RSS MB', 'peak MB'],
      rows.map((row) => [
        row.tasks.toLocaleString('en'),
        row.slots,
        round(row.cpu, 1),
        round(row.wall, 1),
        row.rss_mb,
        row.peak_mb,
      ]),
    ),
    '',
    ...ratios.map(
      ({ slots, total, work, batch_ms }) =>
        `${slots} slots, max/min over 1,000 to 100,000: ${round(total, 2)} with submission and expansion, ${round(work, 2)} without the ${round(batch_ms, 1)} ms of a batch of one`,
    ),
    `${passed ? 'within' : 'NOT within'} ${LIMIT} of each other; database ${round(bytes_per_task)} bytes per finished task`,
    '',
    formatTable(
      ['list in the plan', 'answer ms', 'submit CPU µs/task', 'expand CPU µs/task'],
      inline.map((row) => [
        row.tasks.toLocaleString('en'),
        round(row.answer_ms),
        round(row.submit_cpu, 1),
        round(row.expand_cpu, 1),
      ]),
    ),
  ].join('\n');
  return { text, passed, data: { rows, ratios, inline, bytes_per_task, measured } };
}

function ratio(values) {
  return Math.max(...values) / Math.min(...values);
}
