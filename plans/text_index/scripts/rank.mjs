import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

// Usage: node rank.mjs LIST_FILE COUNTS_FOLDER KEYWORDS OUTPUT_FILE
const [list, countsFolder, wanted, output] = process.argv.slice(2);
if (!/^[1-9]\d*$/.test(wanted)) {
  console.error(`KEYWORDS must be a whole number above 0, not "${wanted}"`);
  process.exit(1);
}

const documents = (await readFile(list, 'utf8'))
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line));
for (const document of documents) {
  const counts = JSON.parse(await readFile(join(countsFolder, `${document.id}.json`), 'utf8'));
  document.counts = new Map(Object.entries(counts));
}

const documentsWith = new Map();
for (const { counts } of documents)
  for (const word of counts.keys()) documentsWith.set(word, (documentsWith.get(word) ?? 0) + 1);

const rows = ['path,keyword,count,score'];
for (const { path, counts } of documents) {
  const ranked = [...counts]
    .map(([word, count]) => ({
      word,
      count,
      score: count * Math.log(documents.length / documentsWith.get(word)),
    }))
    // A word that every document has tells nothing of this one.
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || (a.word < b.word ? -1 : 1))
    .slice(0, Number(wanted));
  for (const { word, count, score } of ranked)
    rows.push([quote(path), quote(word), count, score.toFixed(3)].join(','));
}
await mkdir(dirname(output), { recursive: true });
await writeFile(`${output}.part`, rows.map((row) => `${row}\n`).join(''));
await rename(`${output}.part`, output);
console.log(`${rows.length - 1} keywords of ${documents.length} documents`);

function quote(cell) {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
