import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { encodePng } from './png.mjs';

// Usage: node render.mjs WIDTH MAGNIFICATION PNG_FILE
const [givenWidth, givenMagnification, target] = process.argv.slice(2);
const width = Number(givenWidth);
const magnification = Number(givenMagnification);
if (!Number.isInteger(width) || width < 8 || width > 8_192) {
  console.error(`WIDTH must be 8 to 8192, not "${givenWidth}"`);
  process.exit(1);
}

/** Where the zoom goes: a spiral in the seahorse valley. */
const CENTRE = { x: -0.743643887, y: 0.131825904 };
const height = Math.round(width * 0.75);
const step = 3.2 / width / magnification;
// The deeper the picture, the more rounds it takes to see that a point escapes.
const rounds = Math.round(120 + 90 * Math.log10(magnification));

const pixels = Buffer.alloc(width * height * 3);
for (let row = 0; row < height; row++) {
  for (let column = 0; column < width; column++) {
    const x = CENTRE.x + (column - width / 2) * step;
    const y = CENTRE.y + (row - height / 2) * step;
    pixels.set(colour(escapeTime(x, y)), (row * width + column) * 3);
  }
  if (row % 32 === 31)
    console.log(`::progress ${((row + 1) / height).toFixed(2)} row ${row + 1} of ${height}`);
}
await mkdir(dirname(target), { recursive: true });
await writeFile(`${target}.part`, encodePng(pixels, width, height));
await rename(`${target}.part`, target);

/** Rounds until a point leaves the circle of radius 16, with a fraction; null: it never does. */
function escapeTime(x, y) {
  let [a, b] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    const next = a * a - b * b + x;
    b = 2 * a * b + y;
    a = next;
    const square = a * a + b * b;
    if (square > 256) return round + 1 - Math.log2(Math.log2(square) / 2);
  }
  return null;
}

function colour(time) {
  if (time === null) return [0, 0, 0];
  const wave = (shift) => Math.round(127.5 * (1 + Math.cos(Math.log(time + 2) * 2.4 + shift)));
  return [wave(3.4), wave(3.9), wave(4.9)];
}
