import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Bundles the `planfleet` binary into `agent/dist`. One chunk per subcommand, so that `planfleet
 * --version` loads none of the server. The native database package stays outside: it holds a
 * platform binary.
 */
export async function buildPlanfleet() {
  await rm(`${root}agent/dist`, { recursive: true, force: true });
  await build({
    absWorkingDir: root,
    entryPoints: ['agent/src/main.ts'],
    outdir: 'agent/dist',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: true,
    logLevel: 'warning',
    external: ['libsql', '@libsql/client'],
    // Bundled CommonJS dependencies call require(), which an ES module does not have.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildPlanfleet();
