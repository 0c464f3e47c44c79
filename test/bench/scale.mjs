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
  { tasks: 10_000, batches: 1 },
  { tasks: 100_000, batches: 1 },
  { tasks: 10_000, batches: 1 },
  { tasks: 1_000, batches: 15 },
];
const SIZES = [1_000, 10_000, 100_000];
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
    const agents = [];
    for (const slots of SLOTS)
      agents.push({ slots, agent: await startWireAgent(server, { name: `bench-${slots}`, slots }) });
    for (const { agent } of agents) await runBatches(server, agent, WARM_UP);

    const measured = [];
    for (const size of COURSE)
      for (const { slots, agent } of agents)
        measured.push({ slots, ...size, ...(await runBatches(server, agent, size)), ...memoryOf(server) });
    for (const { agent } of agents) await agent.close();
    await server.stop();
    const finished = [WARM_UP, ...COURSE].reduce((sum, size) => sum + size.tasks * size.batches, 0);
    const bytes_per_task = statSync(server.database).size / (finished * agents.length);
    return summarize({ measured, inline: await runInline(workshop), bytes_per_task });
  } finally {
    await workshop.close();
  }
}

/** One after the other; submission (with the list and its expansion) and work are measured apart. */
async function runBatches(server, agent, { tasks, batches }) {
  const sum = { submit_cpu: 0, submit_wall: 0, work_cpu: 0, work_wall: 0 };
  agent.bringList(makeItems(tasks));
  for (let batch = 0; batch < batches; batch++) {
    const submission = await measure(server, async () => {
      const scanned = agent.work(1);
      agent.pause();
      const { batch_id } = await agent.client.submit(LIST_PLAN);
      await scanned;
      await untilExpanded(agent.client, batch_id);
    });
    const work = await measure(server, () => agent.work(tasks));
    sum.submit_cpu += submission.cpu;
    sum.submit_wall += submission.wall;
    sum.work_cpu += work.cpu;
    sum.work_wall += work.wall;
  }
  return Object.fromEntries(Object.entries(sum).map(([name, value]) => [name, value / tasks / batches]));
}

/** The list stands in the plan itself: how long the answer to the submission takes, and what the expansion after it. */
async function runInline(workshop) {
  const server = await workshop.startServer({ name: 'inline' });
  const client = connect(server.url, server.token);
  await client.submit(inlinePlan([...Array(1_000).keys()]));
  const measured = [];
  for (const tasks of SIZES) {
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
    SIZES.map((tasks) => {
      const runs = measured.filter((run) => run.slots === slots && run.tasks === tasks);
      const of = (read) => median(runs.map(read));
      return {
        slots,
        tasks,
        submit_cpu: of((run) => run.submit_cpu),
        work_cpu: of((run) => run.work_cpu),
        total_cpu: of((run) => run.submit_cpu + run.work_cpu),
        total_wall: of((run) => run.submit_wall + run.work_wall),
        work_wall: of((run) => run.work_wall),
        rss_mb: Math.max(...runs.map((run) => run.rss_mb)),
        peak_mb: Math.max(...runs.map((run) => run.peak_mb)),
      };
    }),
  );
  const ratios = SLOTS.map((slots) => {
    const own = rows.filter((row) => row.slots === slots);
    const ratio = (read) => Math.max(...own.map(read)) / Math.min(...own.map(read));
    return {
      slots,
      work: ratio((row) => row.work_cpu),
      total: ratio((row) => row.total_cpu),
    };
  });
  const passed = ratios.every(({ work, total }) => work <= LIMIT && total <= LIMIT);
  const text = [
    formatTable(
      ['tasks', 'slots', 'submit CPU', 'work CPU', 'CPU µs/task', 'wall µs/task', 'RSS MB', 'peak MB'],
      rows.map((row) => [
        row.tasks.toLocaleString('en'),
        row.slots,
        round(row.submit_cpu, 1),
        round(row.work_cpu, 1),
        round(row.total_cpu, 1),
        round(row.total_wall, 1),
        row.rss_mb,
        row.peak_mb,
      ]),
    ),
    '',
    ...ratios.map(
      ({ slots, work, total }) =>
        `max/min over the sizes, ${slots} slots: work ${round(work, 2)}, with submission ${round(total, 2)}`,
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
