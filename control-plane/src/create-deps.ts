import type { SigningKey } from './auth/signing-key.ts';
import { createTokenVerifier } from './auth/token-verifier.ts';
import { createBrain } from './brain/brain.ts';
import type { Deps } from './deps.ts';

/** What an entry point brings: the rest is the same everywhere. */
export interface Ports extends Omit<Deps, 'brain' | 'auth'> {
  readonly keys: readonly [SigningKey, ...SigningKey[]];
  /** Runs work that no request waits for (on Workers: within `waitUntil`). */
  defer(work: () => Promise<void>): void;
}

export function createDeps({ keys, defer, ...ports }: Ports): Deps {
  const { db, clock, timers, random, settings, wake, log, sha256 } = ports;
  return {
    ...ports,
    brain: createBrain({ db, clock, timers, random, settings, wake, log, defer }),
    auth: createTokenVerifier({ db, clock, sha256, keys }),
  };
}
