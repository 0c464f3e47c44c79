import { rename, writeFile } from 'node:fs/promises';

// Usage: node list.mjs FRAMES ZOOM LIST_FILE
const [frames, zoom, list] = process.argv.slice(2);
const count = Number(frames);
const last = Number(zoom);
// Beyond 1e12 a double no longer tells neighbouring pixels apart.
if (!Number.isInteger(count) || count < 1 || count > 10_000 || !(last >= 1 && last <= 1e12)) {
  console.error(`FRAMES must be 1 to 10000 and ZOOM 1 to 1e12, not "${frames}" and "${zoom}"`);
  process.exit(1);
}

const items = Array.from({ length: count }, (_, index) => ({
  id: `frame${String(index + 1).padStart(5, '0')}`,
  // Equal steps on a logarithmic scale look like a steady approach.
  magnification: last ** (count === 1 ? 0 : index / (count - 1)),
}));
await writeFile(`${list}.part`, JSON.stringify({ frames: items }));
await rename(`${list}.part`, list);
console.log(`${count} frames`);
