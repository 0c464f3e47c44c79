import { setTimeout as sleep } from 'node:timers/promises';
import { RefusedError, UnreachableError } from './api-client.ts';

/** Whether the same request may succeed in a moment: no answer, or an answer that says so. */
export function isRetryable(error: unknown): boolean {
  if (error instanceof UnreachableError) return true;
  return error instanceof RefusedError && (error.status >= 500 || error.status === 429);
}

/**
 * For requests that may be sent twice (reads, and blobs, which are named by their content). Three tries
 * over about 2 s bridge a restart of the control plane; longer than that, a person should know.
 */
export async function retryRequest<T>(send: () => Promise<T>, delayMs = 500): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send();
    } catch (error) {
      if (attempt === 3 || !isRetryable(error)) throw error;
      await sleep(delayMs * attempt);
    }
  }
}
