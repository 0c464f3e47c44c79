import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildPlanfleet } from '../tools/build.mjs';
import { ensureInstalled } from '../tools/ensure-installed.mjs';
import { runLatency } from './latency.mjs';
import { root } from './processes.mjs';
import { runQueue } from './queue.mjs';
import { runScale } from './scale.mjs';
import { runSpawn } from './spawn.mjs';

// What `npm run bench` does. README.md beside this file says how to read it.

const PARTS = { scale: runScale, queue: runQueue, latency: runLatency, spawn: runSpawn };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { profile: { type: 'boolean', default: false } },
});
const unknown = positionals.filter((name) => !(name in PARTS));
if (unknown.length > 0) {
  console.error(`There is no part ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}.`);
  process.exit(2);
}

/** Something hangs: all parts together take less. */
const LIMIT_MS = 8 * 60_000;
setTimeout(() => {
  console.error(`Not done after ${LIMIT_MS / 60_000} minutes.`);
  // Cleans up like Ctrl-C.
  process.kill(process.pid, 'SIGTERM');
}, LIMIT_MS).unref();

ensureInstalled();
await buildPlanfleet();
const results = join(root, 'test/bench/results');
await mkdir(results, { recursive: true });
const started_at = new Date().toISOString();
const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.versions.node}`;
const lines = [`${started_at}, ${machine}`];
const data = { started_at, machine };
console.log(lines[0]);
for (const name of positionals.length > 0 ? positionals : Object.keys(PARTS)) {
  const started = performance.now();
  const result = await PARTS[name]({ profile: values.profile ? results : null });
  data[name] = result.data;
  const heading = `\n## ${name} (${((performance.now() - started) / 1_000).toFixed(0)} s)\n`;
  lines.push(heading, result.text);
  console.log(`${heading}\n${result.text}`);
  if (result.passed === false) process.exitCode = 1;
}
const file = join(results, started_at.replace(/[:.]/g, '-'));
await writeFile(`${file}.md`, `${lines.join('\n')}\n`);
await writeFile(`${file}.json`, `${JSON.stringify(data, null, 2)}\n`);
console.log(`\nKept in ${file}.md and .json`);
