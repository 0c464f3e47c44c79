import type { StoredChunk } from '../../store/queries/read-log.ts';

/**
 * The output in a stored chunk: at most its `size`, and less where an agent sent something else than it said,
 * which a reader shows as a gap.
 */
export async function unpackChunk(chunk: StoredChunk): Promise<Uint8Array> {
  const whole = new Uint8Array(chunk.size);
  let filled = 0;
  for (const member of chunk.data.split(',')) {
    const piece = await unpackMember(member, chunk.size - filled);
    if (piece === null) break;
    whole.set(piece, filled);
    filled += piece.length;
  }
  return whole.subarray(0, filled);
}

async function unpackMember(member: string, limit: number): Promise<Uint8Array | null> {
  try {
    const packed = Uint8Array.from(atob(member.slice(1)), (char) => char.charCodeAt(0));
    return member.startsWith('g') ? await gunzip(packed, limit) : packed.subarray(0, limit);
  } catch {
    return null;
  }
}

/** No more than `limit` bytes, however much the stream would unpack to. */
async function gunzip(packed: Uint8Array<ArrayBuffer>, limit: number): Promise<Uint8Array> {
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip')).getReader();
  const whole = new Uint8Array(limit);
  let filled = 0;
  while (filled < limit) {
    const { done, value } = await reader.read();
    if (done) break;
    const piece = value.subarray(0, limit - filled);
    whole.set(piece, filled);
    filled += piece.length;
  }
  await reader.cancel().catch(() => undefined);
  return whole.subarray(0, filled);
}
