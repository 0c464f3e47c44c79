/** A claim that found nothing and waits. */
export interface Waiter {
  readonly agent: string;
  /** All its CPU slots. How many are free is what its leases say when work comes, not what it knew when it asked. */
  readonly slots: number;
}

export type WaitResult = 'woken' | 'timeout' | 'released';

/** A place in the waiting room, taken before the claim, so that work made during the claim is not missed. */
export interface WaitingPlace {
  /** `released`: the agent went away or asked anew, or the server closes; nothing may be claimed for it any more. */
  wait(ms: number): Promise<WaitResult>;
  leave(): void;
}

/** The wake-up port of long-polls. */
export interface Wake {
  enter(waiter: Waiter, signal: AbortSignal): WaitingPlace;
  /** Work or a signal may have come up through this instance. Costs nothing when nobody waits. */
  notify(): void;
  /** Releases everybody: the server closes. */
  close(): void;
}
