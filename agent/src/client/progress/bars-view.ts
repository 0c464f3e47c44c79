import type { Screen, Terminal } from '../terminal.ts';
import { layoutProgress } from './layout-progress.ts';
import { ProgressHistory } from './progress-history.ts';
import type { BatchLook, ProgressView } from './progress-view.ts';

/** The elapsed time goes on also when nothing else does. */
const REDRAW_MS = 1_000;

/** One bar for each stage, drawn again in place. `leave`: what was drawn last stays. */
export function createBarsView(screen: Screen, terminal: Terminal, leave = true): ProgressView {
  const history = new ProgressHistory();
  let look: BatchLook | null = null;
  let notice: string | null = null;
  const draw = () => {
    if (look === null) return;
    const { batch, stages, ended } = look;
    const until = batch.finished_at === null ? Date.now() : Date.parse(batch.finished_at);
    const picture = {
      batch,
      stages,
      outlook: history.outlook(stages, performance.now()),
      // The clock of the control plane need not agree with this one.
      elapsed_ms: Math.max(0, until - Date.parse(batch.created_at)),
      ended,
      notice,
    };
    const { paint, unicode = true } = terminal;
    screen.draw(layoutProgress(picture, { columns: screen.columns(), rows: screen.rows(), paint, unicode }));
  };
  const timer = setInterval(draw, REDRAW_MS);
  timer.unref();
  screen.onResize(() => {
    // The terminal has wrapped the old lines anew, so where they begin is not known any more.
    screen.clear();
    draw();
  });
  return {
    show(found) {
      look = found;
      history.record(found.stages, performance.now());
      draw();
    },
    notice(found) {
      notice = found?.text ?? null;
      draw();
    },
    close() {
      clearInterval(timer);
      if (!leave) screen.clear();
      screen.close();
    },
  };
}
