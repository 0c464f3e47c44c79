import { gzipSync } from 'node:zlib';
import { Miniflare } from 'miniflare';
import { bundleWorker, COMPATIBILITY_DATE } from './bundle-worker.mjs';

/** What the platform's free plan takes, compressed. */
const MAX_GZIP_BYTES = 3_000_000;

// The control plane must run on Workers, where there is no Node: bundles it as `wrangler deploy` does, and starts it.
const script = await bundleWorker();
const gzip = gzipSync(script).length;
const nodeImports = [...new Set(script.match(/["']node:[a-z_/]+["']/g) ?? [])];
if (nodeImports.length > 0) fail(`The worker names Node's own modules: ${nodeImports.join(', ')}`);
if (gzip > MAX_GZIP_BYTES)
  fail(`The worker is too large: ${gzip} bytes compressed, ${MAX_GZIP_BYTES} allowed.`);

const started = performance.now();
const worker = new Miniflare({
  modules: true,
  script,
  compatibilityDate: COMPATIBILITY_DATE,
  r2Buckets: ['ARTIFACTS'],
  cf: false,
  host: '127.0.0.1',
  port: 0,
});
try {
  const url = await worker.ready;
  const health = await fetch(new URL('/healthz', url));
  if (health.status !== 200) fail(`/healthz answered ${health.status}: ${await health.text()}`);
  const ms = Math.round(performance.now() - started);
  const unconfigured = await fetch(new URL('/v1/batches', url));
  const problem = await unconfigured.json();
  if (unconfigured.status !== 503 || !problem.detail.includes('DATABASE_URL')) {
    fail(`Without a database it answered ${unconfigured.status}: ${JSON.stringify(problem)}`);
  }
  console.log(`worker: ${kib(script.length)} KiB, ${kib(gzip)} KiB compressed, answers after ${ms} ms`);
} catch (error) {
  fail(`The worker does not start: ${error.message}`);
} finally {
  await worker.dispose();
}

function fail(message) {
  console.error(message);
  process.exitCode = 1;
}

function kib(bytes) {
  return Math.round(bytes / 1024);
}
