import { printJson, type Terminal } from '../terminal.ts';
import { expectEnd } from './expected-end.ts';
import { createNoticeLines } from './lines-view.ts';
import { ProgressHistory } from './progress-history.ts';
import type { BatchLook, ProgressView } from './progress-view.ts';

/**
 * A line of JSON for each change, one a second at most: the batch as `status BATCH --json` gives it, and when
 * it is expected to end. The last line is the batch as it ended.
 */
export function createJsonView(terminal: Terminal, lineMs = 1_000): ProgressView {
  const history = new ProgressHistory();
  let saidAt = Number.NEGATIVE_INFINITY;
  let shown = '';
  return {
    show(look) {
      history.record(look.stages, performance.now());
      const state = JSON.stringify([look.raw, look.stages]);
      if (!look.ended && (state === shown || performance.now() - saidAt < lineMs)) return;
      shown = state;
      saidAt = performance.now();
      printJson(terminal, snapshot(look, history));
    },
    notice: createNoticeLines(terminal.err),
    close: () => {},
  };
}

function snapshot({ raw, stages, ended, batch }: BatchLook, history: ProgressHistory) {
  const end =
    ended || batch.state !== 'active' ? null : expectEnd(history.outlook(stages, performance.now()));
  return {
    ...raw,
    expected_end_at: end === null ? null : new Date(Date.now() + end.remaining_ms).toISOString(),
    expected_end_is_earliest: end?.at_least ?? false,
  };
}
