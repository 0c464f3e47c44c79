import type { BatchView, StageView } from '@planfleet/shared-types';
import { cutToWidth, textWidth } from '../fit-text.ts';
import { stateWord } from '../format-progress.ts';
import type { Cell } from '../format-table.ts';
import type { Paint } from '../paint.ts';
import { formatDuration } from '../parse-duration.ts';
import { printableLine } from '../printable-text.ts';
import {
  expectEnd,
  expectStageEnd,
  formatExpectedEnd,
  formatRate,
  type StageOutlook,
} from './expected-end.ts';

export interface ProgressPicture {
  readonly batch: BatchView;
  readonly stages: readonly StageView[];
  readonly outlook: readonly StageOutlook[];
  readonly elapsed_ms: number;
  readonly ended: boolean;
  readonly notice: string | null;
}

export interface Canvas {
  readonly columns: number;
  readonly rows: number;
  readonly paint: Paint;
  readonly unicode: boolean;
}

const LONGEST_NAME = 28;
const BAR = { shortest: 6, longest: 30 };

type ColumnName = 'mark' | 'name' | 'bar' | 'count' | 'percent' | 'notes' | 'rate' | 'left';
type Row = Record<ColumnName, Cell>;
const COLUMNS: readonly ColumnName[] = ['mark', 'name', 'bar', 'count', 'percent', 'notes', 'rate', 'left'];
/** What a narrow terminal does without, in this order. */
const DISPENSABLE: readonly ColumnName[] = ['rate', 'percent', 'bar', 'left', 'notes', 'mark'];

/** The progress of a batch as lines that fit the terminal, the last of them about the whole. */
export function layoutProgress(picture: ProgressPicture, canvas: Canvas): string[] {
  // One column less than there are: a full line makes some terminals begin another.
  const width = Math.max(10, canvas.columns - 1);
  const last = [totalLine(picture, canvas, width)];
  if (picture.notice !== null) last.push(canvas.paint.yellow(cutToWidth(picture.notice, width)));
  // The line below all of it is where the cursor stands.
  const room = Math.max(1, canvas.rows - last.length - 1);
  const { shown, collapsed } = chooseStages(picture.stages, room);
  const outlook = new Map(picture.outlook.map((each) => [each.key, each]));
  const rows = shown.map((stage) => stageRow(stage, outlook.get(stage.key), picture.ended, canvas));
  const lines = layoutRows(rows, shown, canvas, width);
  return [...lines, ...collapsed.map((text) => canvas.paint.dim(cutToWidth(text, width))), ...last];
}

/** All stages, or those where something happens and one line for each kind of the others. */
function chooseStages(stages: readonly StageView[], room: number) {
  if (stages.length <= room) return { shown: stages, collapsed: [] };
  const isDone = (stage: StageView) => stage.state === 'done' && stage.abandoned === 0;
  const done = stages.filter(isDone).length;
  const waiting = stages.filter((stage) => stage.state === 'waiting').length;
  const counted = (count: number, one: string, many: string) =>
    count === 0 ? [] : [`  ${count} ${count === 1 ? `stage ${one}` : `stages ${many}`}`];
  const collapsed = [...counted(done, 'is done', 'are done'), ...counted(waiting, 'waits', 'wait')];
  const active = stages.filter((stage) => !isDone(stage) && stage.state !== 'waiting');
  const left = Math.max(0, room - collapsed.length);
  if (active.length <= left) return { shown: active, collapsed };
  // What runs tells more than what has failed; of several, the earlier are nearer to their end.
  const running = active.filter((stage) => stage.leased > 0);
  const shown = [...running, ...active.filter((stage) => stage.leased === 0)].slice(0, Math.max(0, left - 1));
  const more = active.length - shown.length;
  return {
    shown: stages.filter((stage) => shown.includes(stage)),
    collapsed: [`  ${more} more under way`, ...collapsed].slice(0, room),
  };
}

function stageRow(stage: StageView, outlook: StageOutlook | undefined, ended: boolean, canvas: Canvas): Row {
  const { paint } = canvas;
  const settled = stage.succeeded + stage.abandoned + stage.skipped + stage.cancelled;
  const name = cutToWidth(printableLine(stage.key), LONGEST_NAME);
  const unknown = !stage.expanded && stage.total === 0;
  const total = stage.expanded ? String(stage.total) : `${stage.total}+`;
  const running = !ended && stage.state === 'open' && outlook !== undefined && outlook.remaining > 0;
  const left = running ? expectStageEnd(outlook) : null;
  const count = unknown
    ? ended
      ? 'not run'
      : stage.state === 'waiting'
        ? 'waits'
        : 'reads its list'
    : `${settled}/${total}`;
  const percent =
    unknown || !stage.expanded || stage.total === 0 ? '' : `${Math.floor((settled / stage.total) * 100)}%`;
  return {
    mark: markOf(stage, ended, canvas),
    name: [name, stage.state === 'waiting' ? paint.dim(name) : name],
    bar: '',
    count,
    percent: percent.padStart(4),
    notes: notesOf(stage, ended, paint),
    rate: running && outlook.rate !== null ? formatRate(outlook.rate) : '',
    left: left === null ? '' : formatExpectedEnd(left),
  };
}

function markOf(stage: StageView, ended: boolean, { paint, unicode }: Canvas): Cell {
  if (stage.state === 'failed' || stage.abandoned > 0)
    return unicode ? ['✗', paint.red('✗')] : ['x', paint.red('x')];
  if (stage.state === 'done') return unicode ? ['✓', paint.green('✓')] : ['+', paint.green('+')];
  if (stateWord(stage.state, ended) === 'open') return unicode ? '▸' : '>';
  return ' ';
}

function notesOf(stage: StageView, ended: boolean, paint: Paint): Cell {
  const notes: Cell[] = [];
  const add = (count: number, word: string, style?: (text: string) => string) => {
    if (count > 0) notes.push([`${count} ${word}`, (style ?? ((text) => text))(`${count} ${word}`)]);
  };
  add(stage.abandoned, 'failed', paint.red);
  add(stage.backoff, 'retrying', paint.yellow);
  add(stage.leased, 'running');
  add(stage.skipped, 'skipped', paint.yellow);
  add(stage.cancelled, 'cancelled', paint.yellow);
  add(ended ? stage.waiting + stage.ready : 0, 'not run', paint.yellow);
  return [notes.map((note) => note[0]).join(', '), notes.map((note) => note[1]).join(', ')];
}

const plainOf = (cell: Cell) => (typeof cell === 'string' ? cell : cell[0]);
const shownOf = (cell: Cell) => (typeof cell === 'string' ? cell : cell[1]);

function layoutRows(
  rows: readonly Row[],
  stages: readonly StageView[],
  canvas: Canvas,
  width: number,
): string[] {
  const widths = new Map<ColumnName, number>();
  for (const column of COLUMNS)
    widths.set(column, Math.max(0, ...rows.map((row) => textWidth(plainOf(row[column])))));
  widths.set('bar', BAR.shortest);
  const used = () => {
    const taken = [...widths.values()].filter((each) => each > 0);
    return taken.reduce((sum, each) => sum + each, 0) + Math.max(0, taken.length - 1);
  };
  for (const column of DISPENSABLE) if (used() > width) widths.set(column, 0);
  if ((widths.get('bar') ?? 0) > 0) widths.set('bar', Math.min(BAR.longest, BAR.shortest + width - used()));
  const over = Math.max(0, used() - width);
  if (over > 0) widths.set('name', Math.max(1, (widths.get('name') ?? 0) - over));
  return rows.map((row, index) => {
    const stage = stages[index];
    const cells = COLUMNS.filter((column) => (widths.get(column) ?? 0) > 0).map((column) => {
      const room = widths.get(column) ?? 0;
      if (column === 'bar') return stage === undefined ? '' : barOf(stage, room, canvas);
      const plain = plainOf(row[column]);
      if (textWidth(plain) > room) return cutToWidth(plain, room);
      const padding = ' '.repeat(room - textWidth(plain));
      return column === 'count' ? padding + shownOf(row[column]) : shownOf(row[column]) + padding;
    });
    return cells.join(' ').trimEnd();
  });
}

/** Green for what is done, red for what failed, of the tasks that are known. */
function barOf(stage: StageView, width: number, { paint, unicode }: Canvas): string {
  const [full, empty] = unicode ? ['█', '░'] : ['#', '.'];
  if (stage.total === 0)
    return stage.state === 'done' ? paint.green(full.repeat(width)) : paint.dim(empty.repeat(width));
  const part = (count: number) => Math.floor((count / stage.total) * width);
  // One failure among thousands is still to be seen.
  const failed = stage.abandoned === 0 ? 0 : Math.max(1, part(stage.abandoned));
  const done = Math.min(width - failed, part(stage.succeeded + stage.skipped + stage.cancelled));
  return (
    paint.green(full.repeat(done)) +
    paint.red(full.repeat(failed)) +
    paint.dim(empty.repeat(width - done - failed))
  );
}

function totalLine(picture: ProgressPicture, { paint }: Canvas, width: number): string {
  const { batch, outlook, elapsed_ms, ended } = picture;
  const settled = batch.succeeded + batch.abandoned + batch.skipped + batch.cancelled;
  const more = picture.stages.some((stage) => !stage.expanded && !ended) ? '+' : '';
  const parts: Cell[] = [`${settled}/${batch.total}${more} tasks`, formatDuration(elapsed_ms)];
  if (batch.state === 'paused' || batch.state === 'cancelling')
    parts.push([batch.state, paint.yellow(batch.state)]);
  if (batch.abandoned > 0) parts.push([`${batch.abandoned} failed`, paint.red(`${batch.abandoned} failed`)]);
  const end = ended || batch.state !== 'active' ? null : expectEnd(outlook);
  if (end !== null) parts.push(formatExpectedEnd(end));
  const plain = parts.map(plainOf).join(' · ');
  if (textWidth(plain) > width) return cutToWidth(plain, width);
  return parts.map(shownOf).join(paint.dim(' · '));
}
