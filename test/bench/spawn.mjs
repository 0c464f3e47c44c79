import { connect } from './client.mjs';
import { measureSpawnFloor } from './floors.mjs';
import { inlinePlan, makeItems } from './plans.mjs';
import { cpuOf, openWorkshop } from './processes.mjs';
import { formatTable, median, round } from './table.mjs';

const COUNT = 1_000;
const CONCURRENCY = 2;
const REPETITIONS = 2;
const COMMAND = 'true';

/** W3: 1,000 real processes by a real agent, from submission to the end of the batch, against bare spawn. */
export async function runSpawn({ profile }) {
  const workshop = await openWorkshop({ profile });
  try {
    const server = await workshop.startServer();
    const client = connect(server.url, server.token);
    const agent = await workshop.startAgent(server, { name: 'spawn', slots: CONCURRENCY });
    await runBatch(client, 100);
    const runs = [];
    for (let turn = 0; turn < REPETITIONS; turn++) {
      const bare = await measureSpawnFloor({ count: COUNT, concurrency: CONCURRENCY, command: COMMAND });
      const cpu = { server: cpuOf(server), agent: cpuOf(agent) };
      const wall = await runBatch(client, COUNT);
      runs.push({
        bare,
        wall,
        server_cpu: (cpuOf(server) - cpu.server) / COUNT,
        agent_cpu: (cpuOf(agent) - cpu.agent) / COUNT,
      });
    }
    client.close();
    return summarize(runs);
  } finally {
    await workshop.close();
  }
}

async function runBatch(client, count) {
  const started = performance.now();
  const { batch_id } = await client.submit(inlinePlan(makeItems(count), COMMAND));
  const stages = await client.untilStages(batch_id, ([stage]) => stage.state !== 'open', 50);
  if (stages[0].succeeded !== count) throw new Error(`Only ${stages[0].succeeded} tasks have succeeded.`);
  return (performance.now() - started) / 1_000;
}

function summarize(runs) {
  const of = (read) => median(runs.map(read));
  const text = formatTable(
    [`${COUNT} processes, ${CONCURRENCY} at a time`, 's', 'ratio', 'server CPU µs/task', 'agent CPU µs/task'],
    [
      [
        'bare spawn',
        round(
          of((run) => run.bare),
          2,
        ),
        '',
        '',
        '',
      ],
      [
        'planfleet',
        round(
          of((run) => run.wall),
          2,
        ),
        round(
          of((run) => run.wall / run.bare),
          2,
        ),
        round(of((run) => run.server_cpu)),
        round(of((run) => run.agent_cpu)),
      ],
    ],
  );
  return { text, data: { runs } };
}
