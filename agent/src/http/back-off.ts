/**
 * First wait after a failed request. A restart of the control plane takes about a second, so that most are
 * over before the second try.
 */
const BASE_MS = 500;
/**
 * Longest wait: an agent is back within half a minute of the control plane, and a fleet of 1,000 that waits
 * at random within it makes 67 requests a second on average, which one instance answers easily.
 */
export const BACK_OFF_CAP_MS = 30_000;

/** Wait before try number `tries` + 1: full jitter, so that agents cut off together do not return together. */
export function backOffMs(tries: number, fraction: number, retryAfterMs: number | null = null): number {
  const ceiling = Math.min(BACK_OFF_CAP_MS, BASE_MS * 2 ** Math.min(tries, 10));
  const asked = Math.min(retryAfterMs ?? 0, BACK_OFF_CAP_MS);
  return asked + Math.ceil(fraction * ceiling);
}
