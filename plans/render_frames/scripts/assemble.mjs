import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { chunk, readChunks, SIGNATURE } from './png.mjs';

// Usage: node assemble.mjs LIST_FILE FRAMES_FOLDER OUTPUT_FILE
const [list, folder, output] = process.argv.slice(2);
/** Hundredths of a second that a frame is shown. */
const DELAY = 8;

const { frames } = JSON.parse(await readFile(list, 'utf8'));
const parts = [];
let sequence = 0;
for (const [index, { id }] of frames.entries()) {
  const name = join(folder, `${id}.png`);
  const chunks = [...readChunks(await readFile(name), name)];
  const header = chunks.find(({ type }) => type === 'IHDR').data;
  const pixels = Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data));
  if (index === 0) {
    // Number of frames, and 0: played for ever.
    parts.push(chunk('IHDR', header), chunk('acTL', words(frames.length, 0)));
  }
  const delay = Buffer.from([0, DELAY, 0, 100, 0, 0]);
  parts.push(
    chunk(
      'fcTL',
      Buffer.concat([words(sequence++, header.readUInt32BE(0), header.readUInt32BE(4), 0, 0), delay]),
    ),
  );
  // The first frame is the picture that a program without animation shows.
  parts.push(index === 0 ? chunk('IDAT', pixels) : chunk('fdAT', Buffer.concat([words(sequence++), pixels])));
  console.log(`::progress ${((index + 1) / frames.length).toFixed(2)} ${id}`);
}
await mkdir(dirname(output), { recursive: true });
await writeFile(`${output}.part`, Buffer.concat([SIGNATURE, ...parts, chunk('IEND', Buffer.alloc(0))]));
await rename(`${output}.part`, output);
console.log(`${frames.length} frames`);

function words(...numbers) {
  const bytes = Buffer.alloc(numbers.length * 4);
  for (const [place, number] of numbers.entries()) bytes.writeUInt32BE(number, place * 4);
  return bytes;
}
