import { open } from 'node:fs/promises';

/** Nobody reads more of a task that went well; 1,000 such logs are 10 GB. */
const MAX_LOG_BYTES = 10_000_000;
const PIECE_BYTES = 1_000_000;
/** More than the line in between takes: it must not reach what is still to be moved. */
const NOTE_BYTES = 100;

/** Cuts the log of a success down to its head and its tail, in place, with a line in between that says so. */
export async function shortenLog(file: string, max = MAX_LOG_BYTES): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    const { size } = await handle.stat();
    if (size <= max + NOTE_BYTES) return;
    const half = Math.floor(max / 2);
    const note = Buffer.from(`\n[${size - 2 * half} bytes left out by planfleet]\n`);
    await handle.write(note, 0, note.length, half);
    const piece = Buffer.alloc(Math.min(PIECE_BYTES, half));
    let from = size - half;
    let to = half + note.length;
    // `to` stays below `from`, so that nothing is written over before it was read.
    while (from < size) {
      const { bytesRead } = await handle.read(piece, 0, piece.length, from);
      if (bytesRead === 0) break;
      await handle.write(piece, 0, bytesRead, to);
      from += bytesRead;
      to += bytesRead;
    }
    await handle.truncate(to);
  } finally {
    await handle.close();
  }
}
