import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

// Usage: node count.mjs TEXT_FILE RESULT_FILE
const [textFile, target] = process.argv.slice(2);

const text = await readFile(textFile, 'utf8');
const counts = new Map();
for (const [word] of text
  .normalize('NFC')
  .toLowerCase()
  .matchAll(/\p{L}[\p{L}\p{M}\p{N}'’-]*/gu)) {
  const clean = word.replaceAll('’', "'").replace(/('s)?['-]*$/, '');
  if ([...clean].length >= 3) counts.set(clean, (counts.get(clean) ?? 0) + 1);
}
await mkdir(dirname(target), { recursive: true });
await writeFile(`${target}.part`, JSON.stringify(Object.fromEntries(counts)));
await rename(`${target}.part`, target);
console.log(`${counts.size} different words`);
