import { spawn } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from './client.mjs';
import { openWorkshop } from './processes.mjs';
import { formatTable, percentile, round } from './table.mjs';

const COUNT = 100;
/** Longer than the agent and the server have anything left to do after a task. */
const PAUSE_MS = 40;

/** The shell itself writes when it started and ended, so that nothing is measured but what a task would wait for. */
const STAMP = 'echo $EPOCHREALTIME >> {OUT}/start; echo $EPOCHREALTIME >> {OUT}/end';
const ONE = `# Plan: One

## Inputs
- **OUT**: folder

## Tasks

### stamp
- **task_class**: cpu
- **command**: \`${STAMP}\`
`;
const MANY = ONE.replace(
  '- **command**',
  `- **foreach**: ${JSON.stringify([...Array(COUNT).keys()])}\n- **command**`,
);

/** L: submission to start of the process on an idle system; and from the end of a task to the start of the next. */
export async function runLatency({ profile }) {
  const workshop = await openWorkshop({ profile });
  try {
    const server = await workshop.startServer();
    const client = connect(server.url, server.token);
    await workshop.startAgent(server, { name: 'one', slots: 1 });
    const idle = [];
    for (let turn = 0; turn < COUNT + 10; turn++) {
      const out = join(workshop.folder, `idle-${turn}`);
      await mkdir(out);
      const asked = now();
      await client.submit(ONE, { OUT: out });
      const [start] = await readStamps(out, 'start', 1);
      // The first ones warm up: connections, compiled code, the plan's folder.
      if (turn >= 10) idle.push(start - asked);
      await sleep(PAUSE_MS);
    }
    const out = join(workshop.folder, 'busy');
    await mkdir(out);
    await client.submit(MANY, { OUT: out });
    const busy = await readGaps(out);
    client.close();
    const bare = join(workshop.folder, 'bare');
    await mkdir(bare);
    for (let turn = 0; turn < COUNT; turn++) await runBare(STAMP.replaceAll('{OUT}', bare));
    return summarize({ idle, busy, bare: await readGaps(bare) });
  } finally {
    await workshop.close();
  }
}

function now() {
  return performance.timeOrigin + performance.now();
}

function runBare(command) {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-c', command], { stdio: 'ignore' });
    child.once('error', reject);
    child.once('exit', resolve);
  });
}

async function readGaps(out) {
  const starts = await readStamps(out, 'start', COUNT);
  const ends = await readStamps(out, 'end', COUNT);
  return starts.slice(1).map((start, index) => start - ends[index]);
}

/** Looked for seldom, so that looking takes no time from what is measured. */
async function readStamps(out, name, count) {
  for (let left = 3_000; left > 0; left--) {
    const text = await readFile(join(out, name), 'utf8').catch(() => '');
    const stamps = text.split('\n').filter((line) => line !== '');
    // Some languages write a comma in numbers.
    if (stamps.length >= count) return stamps.map((stamp) => Number(stamp.replace(',', '.')) * 1_000);
    await sleep(10);
  }
  throw new Error(`No ${count} lines came in ${join(out, name)}.`);
}

function summarize({ idle, busy, bare }) {
  const row = (name, values) => [
    name,
    ...[0.5, 0.9, 0.99].map((share) => round(percentile(values, share), 2)),
  ];
  const text = formatTable(
    ['ms', 'p50', 'p90', 'p99'],
    [
      row('idle: submission to start', idle),
      row('busy: end to next start', busy),
      row('floor: the same with bare spawn', bare),
    ],
  );
  return { text, data: { idle, busy, bare } };
}
