import { join } from 'node:path';
import type { Report } from '@planfleet/shared-types';
import type { Attempt, Workshop } from './attempt.ts';
import type { AttemptOrder, AttemptRunner, RunnerContext, RunningAttempt } from './attempt-order.ts';
import { Ending } from './ending.ts';
import { FileDigests } from './file-digests.ts';
import { ProcessRunner } from './process-runner.ts';
import { runAttempt } from './run-attempt.ts';
import { SharedWork } from './shared-work.ts';

/** Runs attempts as processes of this machine. */
export function createAttemptRunner(context: RunnerContext): AttemptRunner {
  const shop: Workshop = {
    ...context,
    log: (entry) => context.log(entry),
    processes: new ProcessRunner(context.data, `${context.agent_id}-`, context.timers),
    shared: new SharedWork(),
    digests: new FileDigests(),
    made: new Set(),
  };
  /** Batch folders of attempts whose reports are under way, to tell which files were told. */
  const batchPaths = new Map<string, string>();

  return {
    start(order: AttemptOrder): RunningAttempt {
      const ending = new Ending();
      const attempt: Attempt = {
        ...order,
        shop,
        ending,
        plan_path: '',
        batch_path: '',
        values: { variables: {} },
        started_at: null,
        exit: null,
        tail: '',
        lists: [],
        chunk_files: [],
        files: [],
        uploads: [],
      };
      const done = runAttempt(attempt).then((result) => {
        if (result.report.files.length > 0) batchPaths.set(keyOf(result.report), attempt.batch_path);
        return result;
      });
      return { done, end: (reason, manner) => ending.ask(reason, manner) };
    },

    endLeftovers: () => shop.processes.endLeftovers(),

    noteAccepted(report) {
      const batchPath = batchPaths.get(keyOf(report));
      batchPaths.delete(keyOf(report));
      if (batchPath === undefined) return;
      for (const file of report.files) shop.digests.noteTold(join(batchPath, file.path), file.sha256);
    },
  };
}

function keyOf(report: Report): string {
  return `${report.stage}:${report.ordinal}:${report.lease}`;
}
