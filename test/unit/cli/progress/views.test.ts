import type { BatchView, StageView } from '@planfleet/shared-types';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPaint } from '../../../../agent/src/client/paint.ts';
import { createBarsView } from '../../../../agent/src/client/progress/bars-view.ts';
import { createJsonView } from '../../../../agent/src/client/progress/json-view.ts';
import { createLinesView } from '../../../../agent/src/client/progress/lines-view.ts';
import { openView } from '../../../../agent/src/client/progress/open-view.ts';
import { AWAY, type BatchLook } from '../../../../agent/src/client/progress/progress-view.ts';
import { jsonTerminal, type Screen } from '../../../../agent/src/client/terminal.ts';
import { canRedraw, showsUnicode, wantsColour } from '../../../../agent/src/client/terminal-abilities.ts';
import { sampleBatch, sampleStage } from '../sample-answers.ts';
import { createTestTerminal, type TestTerminal } from '../test-terminal.ts';

let test: TestTerminal;
beforeEach(async () => {
  test = await createTestTerminal();
});
afterEach(() => test.remove());

function look(succeeded: number, ended = false): BatchLook {
  const stage = sampleStage(
    'extract',
    { total: 4, succeeded, leased: ended ? 0 : 1 },
    ended ? 'done' : 'open',
  );
  const batch = sampleBatch(ended ? 'succeeded' : 'active', { total: 4, succeeded });
  return {
    batch: batch as BatchView,
    stages: [stage] as unknown as StageView[],
    raw: { ...batch, stages: [stage] },
    ended,
  };
}

/** A terminal that remembers each picture. */
function fakeScreen() {
  const drawn: string[][] = [];
  const calls: string[] = [];
  let redraw = () => {};
  const size = { columns: 80, rows: 24 };
  const screen: Screen = {
    columns: () => size.columns,
    rows: () => size.rows,
    draw: (lines) => drawn.push([...lines]),
    clear: () => calls.push('clear'),
    close: () => calls.push('close'),
    onResize: (callback) => {
      redraw = callback;
    },
  };
  return { screen, drawn, calls, size, resize: () => redraw() };
}

describe('bars', () => {
  it('are drawn at each look, and again in the new size when the terminal has one', () => {
    const { screen, drawn, calls, size, resize } = fakeScreen();
    const view = createBarsView(screen, test.terminal);
    view.show(look(1));
    expect(drawn.at(-1)?.[0]).toMatch(/extract .*█.* 1\/4 +25%/);
    size.columns = 30;
    resize();
    expect(calls).toEqual(['clear']);
    for (const line of drawn.at(-1) ?? []) expect(line.length).toBeLessThan(30);
    view.notice(AWAY);
    expect(drawn.at(-1)?.at(-1)).toMatch(/^The control plane does not/);
    view.notice(null);
    expect(drawn.at(-1)).toHaveLength(2);
    view.close();
    expect(calls).toEqual(['clear', 'close']);
  });

  it('are taken away at the end where they are only in the way', () => {
    const { screen, calls } = fakeScreen();
    createBarsView(screen, test.terminal, false).close();
    expect(calls).toEqual(['clear', 'close']);
  });
});

describe('JSON Lines', () => {
  it('are a snapshot for each change, and always the last', () => {
    const view = createJsonView(test.terminal, 0);
    view.show(look(1));
    view.show(look(1));
    view.show(look(2));
    view.show(look(4, true));
    const lines = test.out.map((line) => JSON.parse(line));
    expect(lines.map((line) => line.succeeded)).toEqual([1, 2, 4]);
    expect(lines[0]).toMatchObject({ state: 'active', stages: [{ key: 'extract' }], expected_end_at: null });
    const seldom = createJsonView(test.terminal, 60_000);
    for (const each of [look(1), look(2), look(4, true)]) seldom.show(each);
    expect(test.out.slice(3).map((line) => JSON.parse(line).succeeded)).toEqual([1, 4]);
  });

  it('leave only JSON on standard error', () => {
    const terminal = jsonTerminal(test.terminal);
    terminal.err('warning: slow');
    terminal.err('{"level":"error"}');
    terminal.err('\n');
    createJsonView(terminal).notice(AWAY);
    expect(test.err.map((line) => JSON.parse(line))).toEqual([
      { level: 'warn', message: 'slow' },
      { level: 'error' },
      { level: 'info', message: AWAY.text },
    ]);
  });
});

describe('the view', () => {
  it('suits where it is shown', async () => {
    const { screen, drawn } = fakeScreen();
    const said: string[] = [];
    const say = (line: string) => said.push(line);
    const atTerminal = { ...test.terminal, openScreen: async () => screen };
    (await openView(atTerminal, { json: false, say })).show(look(1));
    expect(drawn).toHaveLength(1);
    (await openView(test.terminal, { json: false, say })).show(look(1));
    expect(said).toEqual(['extract 1/4 done, 1 running']);
    (await openView(atTerminal, { json: true, say })).show(look(1));
    expect(test.out).toHaveLength(1);
  });

  it('says a notice once in lines, and that it is over', () => {
    const said: string[] = [];
    const view = createLinesView((line) => said.push(line));
    for (const notice of [null, AWAY, AWAY, null, null]) view.notice(notice);
    expect(said).toEqual([AWAY.text, AWAY.over]);
  });
});

describe('a terminal', () => {
  it('has colours unless they are not wanted', () => {
    const cases: [Record<string, string>, boolean, boolean][] = [
      [{}, true, true],
      [{}, false, false],
      [{ NO_COLOR: '1' }, true, false],
      [{ NO_COLOR: '' }, true, true],
      [{ FORCE_COLOR: '1' }, false, true],
      [{ FORCE_COLOR: '1', NO_COLOR: '1' }, false, true],
      [{ FORCE_COLOR: '0' }, true, false],
      [{ TERM: 'dumb' }, true, false],
    ];
    for (const [env, isTerminal, expected] of cases)
      expect([env, wantsColour(env, isTerminal)]).toEqual([env, expected]);
    expect(createPaint(true).red('')).toBe('');
  });

  it('is drawn on in place only where that can be seen', () => {
    expect(canRedraw({ TERM: 'xterm' }, true)).toBe(true);
    expect([{ TERM: 'dumb' }, { CI: 'true' }, { CI: '1' }].map((env) => canRedraw(env, true))).toEqual([
      false,
      false,
      false,
    ]);
    expect([canRedraw({ CI: 'false' }, true), canRedraw({}, false)]).toEqual([true, false]);
  });

  it('shows block characters unless its locale has none', () => {
    expect(
      [{}, { LANG: 'de_DE.UTF-8' }, { LC_ALL: 'C' }, { TERM: 'linux' }].map((env) => showsUnicode(env)),
    ).toEqual([true, true, false, false]);
  });
});
