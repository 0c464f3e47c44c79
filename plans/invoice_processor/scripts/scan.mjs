import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Refusal, runStep, writeWhole } from './step.mjs';

// Usage: node scan.mjs INPUT_FOLDER MANIFEST_FILE
await runStep(['INPUT_FOLDER', 'MANIFEST_FILE'], async (inputFolder, manifestFile) => {
  const found = await stat(inputFolder).catch(() => undefined);
  if (!found?.isDirectory()) throw new Refusal(`${inputFolder}: not a folder`);

  const paths = (await findPdfs(inputFolder, '')).sort();
  const width = String(paths.length).length;
  const invoices = paths.map((path, index) => ({
    id: `${String(index + 1).padStart(width, '0')}-${slug(path)}`,
    path,
    file: path,
  }));
  await writeWhole(manifestFile, `${JSON.stringify({ invoices }, null, 2)}\n`);
  console.log(`${invoices.length} invoices found`);
});

async function findPdfs(folder, prefix) {
  const paths = [];
  for (const entry of await readdir(join(folder, prefix), { withFileTypes: true })) {
    const path = prefix + entry.name;
    if (entry.isDirectory()) paths.push(...(await findPdfs(folder, `${path}/`)));
    else if (/\.pdf$/i.test(entry.name) && (await isFile(entry, join(folder, path)))) paths.push(path);
  }
  return paths;
}

/** Links to files count; links to folders are not followed, since they can go round in circles. */
async function isFile(entry, path) {
  if (!entry.isSymbolicLink()) return entry.isFile();
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}

/** The number in front makes an id unique; this part is there for people who read task names. */
function slug(path) {
  const letters = path
    .replace(/\.pdf$/i, '')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase();
  const safe = letters
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replace(/^-|-$/g, '');
  return safe === '' ? 'invoice' : safe;
}
