import { MAX_TAIL_BYTES } from '@planfleet/shared-types';

/**
 * The last bytes of a log as valid text of at most `MAX_TAIL_BYTES` in UTF-8. `isCut`: there was more before,
 * and the first bytes may be the rest of a character, which is no fault of the output.
 */
export function decodeTail(bytes: Uint8Array, isCut: boolean): string {
  const whole = isCut ? skipRest(bytes, 0, 3) : bytes;
  // A mark of the byte order in front is output like any other.
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(whole).replaceAll('\0', '\uFFFD');
  const over = Buffer.byteLength(text) - MAX_TAIL_BYTES;
  // A replaced byte takes three: cut again, at the front, between characters.
  return over <= 0 ? text : new TextDecoder('utf-8').decode(skipRest(Buffer.from(text), over));
}

/** Leaves out the first `from` bytes, and what is left of a character there. */
function skipRest(bytes: Uint8Array, from: number, limit = Number.POSITIVE_INFINITY): Uint8Array {
  let start = from;
  while (start < bytes.length && start - from < limit && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return bytes.subarray(start);
}
