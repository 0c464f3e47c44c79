import type { AttemptLog } from './attempt-log.ts';

/** Where the output of running attempts goes while they run. */
export interface LogSink {
  /** Follows a log from now on; what comes back ends that. */
  follow(log: AttemptLog): () => void;
}
