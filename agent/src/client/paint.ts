type Style = (text: string) => string;

export interface Paint {
  readonly bold: Style;
  readonly dim: Style;
  readonly red: Style;
  readonly green: Style;
  readonly yellow: Style;
}

/** Colours, or none in a pipe and with NO_COLOR. */
export function createPaint(coloured: boolean): Paint {
  const style = (open: number, close: number): Style =>
    coloured ? (text) => (text === '' ? '' : `\u001b[${open}m${text}\u001b[${close}m`) : (text) => text;
  return {
    bold: style(1, 22),
    dim: style(2, 22),
    red: style(31, 39),
    green: style(32, 39),
    yellow: style(33, 39),
  };
}

/** The colour of a state: green is over and well, red is over and not, yellow needs patience. */
export function paintState(paint: Paint, state: string, text: string = state): string {
  if (['succeeded', 'done', 'connected'].includes(state)) return paint.green(text);
  if (['failed', 'abandoned', 'missing'].includes(state)) return paint.red(text);
  if (['backoff', 'cancelled', 'cancelling', 'skipped', 'draining', 'paused'].includes(state))
    return paint.yellow(text);
  return text;
}
