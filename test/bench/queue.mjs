import { measureHttpFloor, measureSqlFloor } from './floors.mjs';
import { COMBINE_PLAN, inlinePlan, makeItems } from './plans.mjs';
import { cpuOf, openWorkshop } from './processes.mjs';
import { formatTable, median, round } from './table.mjs';
import { startWireAgent } from './wire-agent.mjs';

const SLOTS = 16;
const W1_TASKS = 10_000;
const W2_TASKS = 5_000;
const REPETITIONS = 3;

/**
 * W1: 10,000 independent tasks. W2: scan, 5,000 in parallel, combine. From submission to the end of the batch, with
 * an agent that spawns nothing; beside them what the transactions and the requests alone cost.
 */
export async function runQueue({ profile }) {
  const workshop = await openWorkshop({ profile });
  try {
    const server = await workshop.startServer();
    const agent = await startWireAgent(server, { name: 'bench', slots: SLOTS });
    const runW1 = () => runPlan(server, agent, inlinePlan([...Array(W1_TASKS).keys()]), [], W1_TASKS);
    const runW2 = () => runPlan(server, agent, COMBINE_PLAN, makeItems(W2_TASKS), W2_TASKS + 2);
    await runW1();
    const runs = { w1: [], w2: [], sql: [], http: [] };
    for (let turn = 0; turn < REPETITIONS; turn++) {
      runs.w1.push(await runW1());
      runs.sql.push(measureSqlFloor({ tasks: W1_TASKS, slots: SLOTS }));
      runs.http.push(await measureHttpFloor({ tasks: W1_TASKS, slots: SLOTS }));
      runs.w2.push(await runW2());
    }
    await agent.close();
    return summarize(runs);
  } finally {
    await workshop.close();
  }
}

async function runPlan(server, agent, plan, items, tasks) {
  agent.bringList(items);
  const cpu = cpuOf(server);
  const started = performance.now();
  const [, { batch_id }] = await Promise.all([agent.work(tasks), agent.client.submit(plan)]);
  const wall = performance.now() - started;
  const used = cpuOf(server) - cpu;
  const { state } = await agent.client.get(`/v1/batches/${batch_id}`);
  if (state !== 'succeeded') throw new Error(`The batch is ${state} after all its tasks have succeeded.`);
  return { wall: (wall * 1_000) / tasks, cpu: used / tasks };
}

function summarize(runs) {
  const sql = median(runs.sql);
  const http = median(runs.http);
  const of = (name) => ({
    wall: median(runs[name].map((run) => run.wall)),
    cpu: median(runs[name].map((run) => run.cpu)),
  });
  const rows = { W1: of('w1'), W2: of('w2') };
  const text = formatTable(
    ['work', 'wall µs/task', 'server CPU µs/task', 'wall / floors'],
    [
      ...Object.entries(rows).map(([name, { wall, cpu }]) => [
        name,
        round(wall),
        round(cpu),
        round(wall / (sql + http), 2),
      ]),
      ['floor: libSQL transactions', round(sql), '', ''],
      ['floor: bare Hono requests', round(http), '', ''],
    ],
  );
  return { text, data: { rows, floors: { sql, http }, runs } };
}
