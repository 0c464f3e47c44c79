import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { wait } from '../agent/wait.ts';
import { backOffMs } from '../http/back-off.ts';
import { AttemptError, type Workshop } from './attempt.ts';

/** Content that arrives broken so often is broken where it is stored. */
const MAX_BROKEN = 3;

/**
 * Fetches content into a file and verifies it on arrival. A control plane that is out of reach is waited
 * for: without it nothing else would happen either.
 */
export async function fetchBlob(
  shop: Workshop,
  sha256: string,
  file: string,
  what: string,
  signal: AbortSignal,
): Promise<void> {
  let broken = 0;
  for (let failures = 0; ; failures++) {
    signal.throwIfAborted();
    const attempt = await fetchOnce(shop, sha256, file, signal);
    if (attempt.answer.kind === 'ok') {
      if (attempt.sha256 === sha256) return;
      broken += 1;
      if (broken >= MAX_BROKEN) {
        throw new AttemptError(
          'worker',
          `${what} arrived with other content than it should have, ${broken} times`,
        );
      }
      continue;
    }
    signal.throwIfAborted();
    if (attempt.answer.kind !== 'retry') {
      throw new AttemptError('worker', `${what} cannot be fetched: ${attempt.answer.message}`);
    }
    const delay = backOffMs(failures, shop.randomness.fraction(), attempt.answer.retry_after_ms);
    await wait(shop.timers, delay, signal);
  }
}

async function fetchOnce(shop: Workshop, sha256: string, file: string, signal: AbortSignal) {
  const handle = await open(file, 'w', 0o644);
  const hash = createHash('sha256');
  let diskError: unknown = null;
  try {
    const answer = await shop.blobs.downloadBlob(
      sha256,
      async (piece) => {
        hash.update(piece);
        try {
          await handle.writeFile(piece);
        } catch (error) {
          diskError = error;
          throw error;
        }
      },
      signal,
    );
    if (diskError !== null) throw diskError;
    return { answer, sha256: hash.digest('hex') };
  } finally {
    await handle.close();
  }
}
