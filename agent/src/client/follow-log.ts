import { type LogEndEvent, logEndEventSchema } from '@planfleet/shared-types';
import type { ApiClient } from './api-client.ts';
import { taskPath } from './batch-path.ts';
import { followEvents } from './follow-events.ts';

export interface FollowLogOptions {
  readonly client: ApiClient;
  /** Id of the task. */
  readonly task: string;
  /** Undefined: the one that runs, or the newest, or the first to come. */
  readonly attempt?: number | undefined;
  /** Ends the following; the task goes on. */
  readonly signal?: AbortSignal;
  /** `log`, `gap`, and `end` as the last one. */
  onEvent(event: string, body: object): void;
  onLost(): void;
}

/** The output of an attempt as it comes, over any outage; null when `signal` came before its end. */
export async function followLog(options: FollowLogOptions): Promise<LogEndEvent | null> {
  const { client, task, attempt, signal, onEvent, onLost } = options;
  let end: LogEndEvent | null = null;
  await followEvents({
    client,
    path: taskPath(task, '/logs'),
    query: { attempt, follow: 1 },
    ...(signal === undefined ? {} : { signal }),
    onLost,
    onEvent({ event = '', data }) {
      const body = JSON.parse(data) as object;
      onEvent(event, body);
      if (event === 'end') end = logEndEventSchema.parse(body);
      return event === 'end';
    },
  });
  return end;
}
