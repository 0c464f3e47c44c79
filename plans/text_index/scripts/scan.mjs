import { readdir, rename, writeFile } from 'node:fs/promises';
import { extname, relative, sep } from 'node:path';

// Usage: node scan.mjs INPUT_FOLDER LIST_FILE
const [folder, list] = process.argv.slice(2);
const KINDS = new Set(['.md', '.html', '.htm', '.txt']);

const entries = await readdir(folder, { withFileTypes: true, recursive: true });
const paths = entries
  .filter((entry) => entry.isFile() && KINDS.has(extname(entry.name).toLowerCase()))
  // `parentPath` since Node 20.12, `path` before it.
  .map((entry) =>
    relative(folder, `${entry.parentPath ?? entry.path}${sep}${entry.name}`)
      .split(sep)
      .join('/'),
  )
  .sort();

const width = String(paths.length).length;
const lines = paths.map((path, index) =>
  JSON.stringify({ id: `doc${String(index + 1).padStart(width, '0')}`, path }),
);
await writeFile(`${list}.part`, lines.map((line) => `${line}\n`).join(''));
await rename(`${list}.part`, list);
console.log(`${paths.length} documents`);
