import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Fleet, type FleetProcess, until } from '../support/fleet.ts';

const CAP_MB = 16;
/** Generous: node itself takes 100 MB, and what was read is freed when it suits the collector. */
const MAX_RSS_MB = 400;

const fleet = new Fleet();
let server: FleetProcess;
let agent: FleetProcess;
beforeAll(async () => {
  server = await fleet.startServer();
  const token = await fleet.makeToken(['agent'], ['--agent', 'left']);
  const data = fleet.path('agent-left');
  agent = fleet.start(
    [
      ...['agent', '--json', '--url', fleet.url, '--name', 'left', '--data', data],
      ...['--slots', '4', '--log-cap', String(CAP_MB)],
    ],
    { ...fleet.env, PLANFLEET_TOKEN: token },
  );
  await until('the agent', () => agent.event('registered') !== undefined);
});
afterAll(() => fleet.close());

test('floods of output block nothing, keep their ends, and take bounded memory and disk', async () => {
  const id = await fleet.submit(`# Plan: Flood

## Tasks

### one_line
- **task_class**: cpu
- **command**: \`head -c 100000000 /dev/zero | tr '\\0' x; printf 'the end'\`

### not_text
- **task_class**: cpu
- **command**: \`head -c 30000000 /dev/urandom; printf '\\0\\0\\377\\376'; echo 'after the noise'\`

### many_lines
- **task_class**: cpu
- **command**:
\`\`\`bash
timeout 30 awk 'BEGIN { for (s = 0; s < 100; s++) { for (n = 0; n < 5000; n++) print "line " s * 5000 + n " of 500000, and some words to fill it"; fflush(); system("sleep 0.1") } }'
echo done
\`\`\`

### bystander
- **task_class**: cpu
- **command**: \`for n in 1 2 3 4 5; do date +%s%3N; sleep 1; done\`
`);
  const watch = watchLargest();
  const follower = fleet.cli(['logs', `${id}:many_lines`, '-f'], await fleet.adminToken());
  const batch = await fleet.untilEnded(id, 50_000);
  const { stdout } = await follower;
  expect(batch.state).toBe('succeeded');
  const peak = watch.stop();

  const [oneLine, notText, lines, bystander] = await Promise.all(
    ['one_line', 'not_text', 'many_lines', 'bystander'].map(async (stage) => {
      const response = await fleet.request(`/v1/tasks/${id}:${stage}/logs`);
      return Buffer.from(await response.arrayBuffer());
    }),
  );
  expect(oneLine?.subarray(-7).toString()).toBe('the end');
  expect(oneLine?.length).toBeLessThan(CAP_MB * 1_000_000 + 100);
  expect(oneLine?.toString('latin1')).toMatch(/^x+\n\[\.\.\. \d+ bytes missing \.\.\.\]\nx+the end$/);
  expect(notText?.subarray(-20).toString('latin1')).toBe('\0\0\xff\xfeafter the noise\n');
  expect(lines?.toString().split('\n').slice(-3)).toEqual([
    'line 499999 of 500000, and some words to fill it',
    'done',
    '',
  ]);
  const tails = await Promise.all(
    ['one_line', 'not_text', 'many_lines'].map(
      async (stage) => (await fleet.task(`${id}:${stage}`)).history[0]?.tail,
    ),
  );
  expect(tails.map((tail) => (tail ?? '').slice(-6))).toEqual(['he end', 'noise\n', '\ndone\n']);
  for (const tail of tails) expect(Buffer.byteLength(tail ?? '')).toBeLessThanOrEqual(65_536);
  // Nobody else was held up: a second between two lines stays one.
  const times = String(bystander).trim().split('\n').map(Number);
  const pauses = times.slice(1).map((time, place) => time - (times[place] ?? 0));
  expect(Math.max(...pauses)).toBeLessThan(3_000);
  expect(stdout.startsWith('line 0 of')).toBe(true);
  expect(stdout.endsWith('to fill it\ndone\n')).toBe(true);

  const database = sizeOf(fleet.path('server'), /^planfleet\.db/);
  const log = logFiles(fleet.path('agent-left', 'plans')).find((file) => file.includes('one_line'));
  const disk = log === undefined ? Number.NaN : Math.round(peak.log_blocks / 2_000);
  console.log(
    `flood: agent ${peak.agent} MB, server ${peak.server} MB at most; database ${Math.round(database / 1_000)} kB; ` +
      `log of 100 MB took ${disk} MB of disk at most; follower got ${stdout.split('\n').length} of 500,002 lines`,
  );
  expect(peak.agent).toBeLessThan(MAX_RSS_MB);
  expect(peak.server).toBeLessThan(MAX_RSS_MB);
  expect(database).toBeLessThan(20_000_000);
  await until('the live output to be forgotten', () => server.isAlive() && agent.isAlive());
}, 60_000);

/** Looks at the largest log that is there, in blocks, until it is stopped; memory peaks come from the kernel. */
function watchLargest() {
  let blocks = 0;
  const timer = setInterval(() => {
    for (const file of logFiles(fleet.path('agent-left', 'plans'))) {
      try {
        blocks = Math.max(blocks, statSync(file).blocks);
      } catch {
        // It was just replaced.
      }
    }
  }, 50);
  return {
    stop() {
      clearInterval(timer);
      return { agent: peakMemory(agent), server: peakMemory(server), log_blocks: blocks };
    },
  };
}

function peakMemory({ child }: FleetProcess): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1_024);
}

function logFiles(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.log'))
      .map((path) => join(folder, path));
  } catch {
    return [];
  }
}

function sizeOf(folder: string, names: RegExp): number {
  return readdirSync(folder)
    .filter((name) => names.test(name))
    .reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}
