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
  /** What keeps the batch or the watching from going on; null: nothing any more. */
  notice(notice: Notice | null): void;
  /** No more is shown; `interrupted` when the batch goes on. */
  close(): void;
}

/** `over` is said where what was said before cannot be taken back. */
export interface Notice {
  readonly text: string;
  readonly over: string;
}

export const AWAY: Notice = {
  text: 'The control plane does not answer; trying again until it does. The batch is not affected.',
  over: 'The control plane answers again.',
};
export const NO_AGENTS: Notice = {
  text: 'No agent is connected, so nothing runs. Start one: planfleet agent',
  over: 'An agent is connected.',
};
