import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_AGAIN_MS = 50;

/** Looks until `check` gives something; the error says what was awaited and what was there instead. */
export async function until<T>(
  what: string,
  check: () => Promise<T | undefined | false> | T | undefined | false,
  timeout_ms = 30_000,
): Promise<T> {
  const deadline = performance.now() + timeout_ms;
  for (;;) {
    const found = await check();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`Waited ${timeout_ms} ms in vain for: ${what}`);
    await sleep(LOOK_AGAIN_MS);
  }
}
