import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** The control plane as one module for Workers, put together as `wrangler deploy` does it. */
export async function bundleWorker() {
  const result = await build({
    absWorkingDir: fileURLToPath(new URL('../../', import.meta.url)),
    entryPoints: ['control-plane/src/entry/workers.ts'],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*', 'node:*'],
    minify: true,
    write: false,
    logLevel: 'error',
  });
  return result.outputFiles[0].text;
}

/** The newest that the installed workerd knows; wrangler.toml names it too. */
export const COMPATIBILITY_DATE = '2026-04-01';
