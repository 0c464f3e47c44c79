import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../', import.meta.url));
const outdir = join(root, 'agent/dist');

/**
 * Bundles the `planfleet` binary into `agent/dist`. One chunk per subcommand, so that `planfleet
 * --version` loads none of the server. The native database package stays outside: it holds a
 * platform binary.
 */
export async function buildPlanfleet() {
  const result = await build({
    absWorkingDir: root,
    entryPoints: ['agent/src/main.ts'],
    outdir,
    write: false,
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
  await mkdir(outdir, { recursive: true });
  for (const file of result.outputFiles) await writeChanged(file.path, file.contents);
  const built = new Set(result.outputFiles.map((file) => basename(file.path)));
  for (const name of await readdir(outdir))
    if (!built.has(name)) await rm(join(outdir, name), { force: true });
}

/** Processes that run from here load their chunks late: a file that is the same is left alone, another one replaced at once. */
async function writeChanged(path, contents) {
  const present = await readFile(path).catch(() => null);
  if (present?.equals(contents)) return;
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, contents);
  await rename(temporary, path);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildPlanfleet();
