import type { StageView } from '@planfleet/shared-types';
import { formatStage } from '../format-progress.ts';
import type { Notice, ProgressView } from './progress-view.ts';

/** Plain lines of what changed, for a pipe or a log; one a second at most. */
export function createLinesView(say: (line: string) => void, lineMs = 1_000): ProgressView {
  const shown = new Map<string, string>();
  let saidAt = Number.NEGATIVE_INFINITY;
  return {
    show({ stages, ended }) {
      if (!ended && performance.now() - saidAt < lineMs) return;
      const line = changes(stages, shown, ended);
      if (line === null) return;
      say(line);
      saidAt = performance.now();
    },
    notice: createNoticeLines(say),
    close: () => {},
  };
}

/** The stages whose counts changed since they were last shown, on one line; null: none did. */
function changes(stages: readonly StageView[], shown: Map<string, string>, ended: boolean): string | null {
  const changed: string[] = [];
  for (const stage of stages) {
    const text = formatStage(stage, ended);
    const before = shown.get(stage.key);
    // A stage that has not begun says nothing yet.
    if (text === before || (before === undefined && stage.state === 'waiting')) continue;
    shown.set(stage.key, text);
    changed.push(text);
  }
  return changed.length === 0 ? null : changed.join('; ');
}

/** Says each notice once, and when it is over. */
export function createNoticeLines(say: (line: string) => void): (notice: Notice | null) => void {
  let said: Notice | null = null;
  return (notice) => {
    if (notice === said) return;
    if (notice !== null) say(notice.text);
    else if (said !== null) say(said.over);
    said = notice;
  };
}
