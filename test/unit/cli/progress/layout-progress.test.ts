import type { BatchView, StageView } from '@planfleet/shared-types';
import { describe, expect, it } from 'vitest';
import { cutToWidth, textWidth } from '../../../../agent/src/client/fit-text.ts';
import { createPaint } from '../../../../agent/src/client/paint.ts';
import { type Canvas, layoutProgress } from '../../../../agent/src/client/progress/layout-progress.ts';
import { ProgressHistory } from '../../../../agent/src/client/progress/progress-history.ts';
import { sampleBatch, sampleStage } from '../sample-answers.ts';

const plain: Canvas = { columns: 110, rows: 24, paint: createPaint(false), unicode: true };

function picture(
  stages: readonly ReturnType<typeof sampleStage>[],
  ended = false,
  notice: string | null = null,
) {
  const sum = (key: 'total' | 'succeeded' | 'abandoned') =>
    stages.reduce((total, stage) => total + stage[key], 0);
  const counts = { total: sum('total'), succeeded: sum('succeeded'), abandoned: sum('abandoned') };
  const views = stages as unknown as StageView[];
  const history = new ProgressHistory();
  // A minute ago nothing had ended.
  history.record(
    views.map((stage) => ({ ...stage, succeeded: 0, abandoned: 0, leased: 1 })),
    0,
  );
  history.record(views, 59_000);
  return {
    batch: sampleBatch(ended ? 'failed' : 'active', counts) as BatchView,
    stages: views,
    outlook: history.outlook(views, 60_000),
    elapsed_ms: 61_000,
    ended,
    notice,
  };
}
const waiting = (key: string) => sampleStage(key, { total: 1, waiting: 1 }, 'waiting');
const running = (key: string) => sampleStage(key, { total: 100, succeeded: 50, leased: 4, ready: 46 });
const done = (key: string) => sampleStage(key, { total: 1, succeeded: 1 }, 'done');

describe('the progress of a batch at a terminal', () => {
  it('has a bar for each stage and a line about the whole', () => {
    const extract = sampleStage('extract', {
      total: 3000,
      succeeded: 597,
      abandoned: 3,
      leased: 8,
      ready: 2392,
    });
    const lines = layoutProgress(picture([done('scan'), extract, waiting('combine')]), plain);
    expect(lines).toEqual([
      `✓ scan    ${'█'.repeat(30)}      1/1 100%`,
      `✗ extract ${'█'.repeat(6)}${'░'.repeat(24)} 600/3000  20% 3 failed, 8 running 10/s about 4 min left`,
      `  combine ${'░'.repeat(30)}      0/1   0%`,
      '601/3002 tasks · 1 min 01 s · 3 failed · at least 4 min left',
    ]);
  });

  it('shows one failure among thousands in red', () => {
    const coloured = { ...plain, paint: createPaint(true) };
    const stage = sampleStage('extract', { total: 3000, succeeded: 10, abandoned: 1, ready: 2989 });
    const [line = ''] = layoutProgress(picture([stage]), coloured);
    expect(line).toContain('\u001b[31m█\u001b[39m');
    expect(line).toContain('\u001b[31m1 failed\u001b[39m');
  });

  it('says that a list is still being read, and gives no share of what is not known', () => {
    const reading = sampleStage('extract', { total: 200, succeeded: 100, leased: 1 }, 'open', false);
    const unread = sampleStage('tag', {}, 'waiting', false);
    const lines = layoutProgress(picture([reading, unread]), plain);
    expect(lines[0]).toContain('100/200+');
    expect(lines[0]).not.toContain('%');
    expect(lines[0]).toContain('at least 1 min left');
    expect(lines[1]).toContain('waits');
    expect(lines[2]).toContain('100/200+ tasks');
  });

  it.each([10, 20, 35, 60, 80, 200])('never draws beyond %i columns', (columns) => {
    const stages = [done('scan'), running('抽出する段階の名前がとても長いときは'), waiting('x'.repeat(60))];
    for (const line of layoutProgress(picture(stages, false, 'away '.repeat(30)), { ...plain, columns }))
      expect(textWidth(line)).toBeLessThan(Math.max(columns, 11));
  });

  it('keeps counts and failures in a narrow terminal', () => {
    const stage = sampleStage('extract', { total: 100, succeeded: 40, abandoned: 2, ready: 58 });
    const [line] = layoutProgress(picture([stage]), { ...plain, columns: 32 });
    expect(line).toMatch(/extract.* 42\/100 .*2 failed/);
  });

  it('collapses what is over and what waits when there are more stages than lines', () => {
    const stages = [
      ...Array.from({ length: 20 }, (_, index) => done(`d${index}`)),
      running('now'),
      ...Array.from({ length: 20 }, (_, index) => waiting(`w${index}`)),
    ];
    const lines = layoutProgress(picture(stages), { ...plain, rows: 10 });
    expect(lines[0]).toMatch(/^▸ now /);
    expect(lines.slice(1, 3)).toEqual(['  20 stages are done', '  20 stages wait']);
    expect(lines).toHaveLength(4);
  });

  it('never draws more lines than there are, and shows what runs first', () => {
    const stages = [
      ...Array.from({ length: 15 }, (_, index) => sampleStage(`open${index}`, { total: 1, ready: 1 })),
      ...Array.from({ length: 15 }, (_, index) => running(`run${index}`)),
    ];
    for (const rows of [2, 3, 5, 10, 24]) {
      const lines = layoutProgress(picture(stages), { ...plain, rows });
      expect(lines.length).toBeLessThan(Math.max(rows, 3));
      if (rows === 10) {
        expect(lines.filter((line) => line.includes('run'))).toHaveLength(7);
        expect(lines.at(-2)).toBe('  23 more under way');
      }
    }
  });

  it('says of a batch that has ended what was not run, and gives no end', () => {
    const stages = [
      sampleStage('extract', { total: 10, succeeded: 8, abandoned: 2 }, 'failed'),
      sampleStage('sum', { total: 1, waiting: 1 }, 'waiting'),
    ];
    const lines = layoutProgress(picture(stages, true), { ...plain, unicode: false });
    expect(lines[0]).toMatch(/^x extract #+ +10\/10 100% 2 failed$/);
    expect(lines[1]).toContain('1 not run');
    expect(lines.join()).not.toContain('left');
  });

  it('says below it all that the control plane does not answer', () => {
    expect(layoutProgress(picture([running('a')], false, 'no answer'), plain).at(-1)).toBe('no answer');
  });
});

describe('text of wide characters', () => {
  it('is cut between characters, by the columns they take', () => {
    expect(cutToWidth('abcdef', 4)).toBe('abc…');
    expect(cutToWidth('抽出する', 5)).toBe('抽出…');
    expect(cutToWidth('👩‍👩‍👧x', 2)).toBe('…');
    expect(cutToWidth('ok', 0)).toBe('');
  });
});
