import type { BatchView, StageView } from '@planfleet/shared-types';

/** A batch as one look found it. */
export interface BatchLook {
  readonly batch: BatchView;
  readonly stages: readonly StageView[];
  /** As the control plane answered. */
  readonly raw: Readonly<Record<string, unknown>>;
  readonly ended: boolean;
}

/** How the progress of a batch is shown: bars at a terminal, lines in a pipe, JSON for programs. */
export interface ProgressView {
  show(look: BatchLook): void;
  /** The control plane does not answer (true), or does again. */
  away(isAway: boolean): void;
  /** No more is shown; `interrupted` when the batch goes on. */
  close(): void;
}

export const AWAY =
  'The control plane does not answer; trying again until it does. The batch is not affected.';
export const BACK = 'The control plane answers again.';
