import { createPaint } from './paint.ts';
import type { Terminal } from './terminal.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Colour at a terminal only; FORCE_COLOR and NO_COLOR decide as they do for Node itself, the first before the second. */
export function wantsColour(env: Environment, isTerminal: boolean): boolean {
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  if (env['NO_COLOR']) return false;
  return isTerminal && env['TERM'] !== 'dumb';
}

/** Whether lines can be drawn again in place. The logs of CI services keep every redraw, some of them at a pseudo terminal. */
export function canRedraw(env: Environment, isTerminal: boolean): boolean {
  if (!isTerminal || env['TERM'] === 'dumb') return false;
  return !env['CI'] || env['CI'] === 'false' || env['CI'] === '0';
}

/** Bars of block characters, unless the locale or the console is known not to have them. */
export function showsUnicode(env: Environment): boolean {
  if (env['TERM'] === 'linux') return false;
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'];
  // Containers often set none, and the terminal around them is still one of this century.
  return !locale || /utf-?8/i.test(locale);
}

/** The terminal with what it can do: colours, characters, lines drawn in place. */
export function withAbilities(terminal: Terminal): Terminal {
  const { env } = terminal;
  const { stdout, stderr } = process;
  const screen = async () => (await import('./screen.ts')).openScreen(stdout);
  return {
    ...terminal,
    paint: createPaint(wantsColour(env, stdout.isTTY === true && stderr.isTTY === true)),
    unicode: showsUnicode(env),
    ...(canRedraw(env, stdout.isTTY === true) ? { openScreen: screen } : {}),
  };
}
