import { open } from 'node:fs/promises';
import { MAX_TAIL_BYTES } from '@planfleet/shared-types';

/** The end of a log as valid text of at most `MAX_TAIL_BYTES` in UTF-8; empty when there is no log. */
export async function readTail(file: string): Promise<string> {
  const bytes = await readLast(file);
  return cutFront(new TextDecoder('utf-8').decode(skipCutCharacter(bytes)).replaceAll('\0', '\uFFFD'));
}

async function readLast(file: string): Promise<Uint8Array> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(file, 'r');
  } catch {
    return new Uint8Array();
  }
  try {
    const { size } = await handle.stat();
    const bytes = Buffer.alloc(Math.min(size, MAX_TAIL_BYTES));
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, size - bytes.length);
    return bytes.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** The first bytes may be the rest of a character that was cut: they are no fault of the output. */
function skipCutCharacter(bytes: Uint8Array): Uint8Array {
  if (bytes.length < MAX_TAIL_BYTES) return bytes;
  let start = 0;
  while (start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return bytes.subarray(start);
}

/** A replaced byte takes three: cut again, at the front, between characters. */
function cutFront(text: string): string {
  const over = Buffer.byteLength(text) - MAX_TAIL_BYTES;
  if (over <= 0) return text;
  return new TextDecoder('utf-8').decode(skipRest(Buffer.from(text), over));
}

function skipRest(bytes: Uint8Array, from: number): Uint8Array {
  let start = from;
  while (start < bytes.length && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return bytes.subarray(start);
}
