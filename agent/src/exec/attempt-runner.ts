import type { Attempt, Workshop } from './attempt.ts';
import type { AttemptOrder, AttemptRunner, RunnerContext, RunningAttempt } from './attempt-order.ts';
import { Carriers } from './carriers.ts';
import { Ending } from './ending.ts';
import { Ledgers } from './ledgers.ts';
import { pinAgain } from './pin-file.ts';
import { ProcessRunner } from './process-runner.ts';
import { runAttempt } from './run-attempt.ts';
import { NO_SECRETS } from './secret-mask.ts';
import { SharedWork } from './shared-work.ts';
import { sweepDrafts } from './sweep-drafts.ts';

/** Runs attempts as processes of this machine. */
export function createAttemptRunner(context: RunnerContext): AttemptRunner {
  const shop: Workshop = {
    ...context,
    log: (entry) => context.log(entry),
    processes: new ProcessRunner(context.data, `${context.agent_id}-`, context.timers),
    shared: new SharedWork(),
    ledgers: new Ledgers(),
    carriers: new Carriers(),
    made: new Set(),
  };

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
        secrets: {},
        setup_secrets: {},
        mask: NO_SECRETS,
        log: null,
        tail: '',
        lists: [],
        chunk_files: [],
        outputs: [],
        leaves_files: false,
        files: [],
        uploads: [],
      };
      return { done: runAttempt(attempt), end: (reason, manner) => ending.ask(reason, manner) };
    },

    async endLeftovers() {
      const ended = await shop.processes.endLeftovers();
      await sweepDrafts(shop.plans, shop.plans_are_shared, shop.clock.now());
      return ended;
    },

    noteAccepted({ uploads }) {
      for (const upload of uploads) shop.ledgers.noteTold(upload.source, upload.sha256);
    },

    noteRefused({ uploads }) {
      for (const upload of uploads) shop.ledgers.unsettle(upload.source);
    },

    pinAgain: (upload) => pinAgain(shop.ledgers, upload),
  };
}
