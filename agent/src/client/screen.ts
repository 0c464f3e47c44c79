import { createLogUpdate } from 'log-update';
import type { Screen } from './terminal.ts';

/** The lower end of a terminal, drawn again and again in place. */
export function openScreen(stream: NodeJS.WriteStream): Screen {
  const update = createLogUpdate(stream);
  let onResize = () => {};
  const resized = () => onResize();
  stream.on('resize', resized);
  return {
    // A pseudo terminal that nobody has sized says 0.
    columns: () => stream.columns || 80,
    rows: () => stream.rows || 24,
    draw: (lines) => update(lines.join('\n')),
    clear: () => update.clear(),
    close() {
      stream.off('resize', resized);
      update.done();
    },
    onResize(redraw) {
      onResize = redraw;
    },
  };
}
