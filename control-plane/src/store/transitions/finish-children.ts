import { findPlaceholders, type InputBinding } from '@planfleet/shared-types';
import type { StageDefinition } from '../../blueprint.ts';
import { bindStatement, type Database, readRows, type Statement, toJson } from '../database.ts';
import { finish } from '../statements/finish.ts';
import { BRAIN_NAME } from '../statements/hold.ts';
import { release } from '../statements/release.ts';
import { settle } from '../statements/settle.ts';
import { skip } from '../statements/skip.ts';
import { settleEmptyStages } from './settle-stages.ts';

/** Ends passed on by one batch: as many reports as an agent with many slots sends at once. */
const ENDS = 50;
/** Tasks of a failed child that its parent names. */
const NAMED = 5;
/** Files of a child that become the parent's, like those of one report. */
const FILES = 10_000;
/** Spread of a retry: 41 steps of one percent, see statements/finish.ts. */
const JITTER_STEPS = 41;

/** The child by its parent: one that was deleted since has another id, and its files until the tick removes them. */
const READ_ENDS = `SELECT e.stage_id AS stage, e.ordinal, e.attempt, e.child_id, c.seq, e.state, c.created_at, s.definition, b.inputs,
    (SELECT t.stop FROM tasks t WHERE t.stage_id = e.stage_id AND t.ordinal = e.ordinal) AS stop,
    (SELECT sum(f.abandoned) FROM stages f WHERE f.batch_seq = c.seq) AS abandoned,
    (SELECT json_group_array(name) FROM (SELECT f.key || ':' || t.ordinal AS name FROM stages f CROSS JOIN tasks t
      WHERE f.batch_seq = c.seq AND f.abandoned > 0 AND t.stage_id = f.id AND t.state = 'abandoned' LIMIT ${NAMED})) AS failed
  FROM child_ends e LEFT JOIN batches c ON c.parent_stage = e.stage_id AND c.parent_ordinal = e.ordinal AND c.parent_attempt = e.attempt
    LEFT JOIN stages s ON s.id = e.stage_id LEFT JOIN batches b ON b.seq = s.batch_seq
  LIMIT ${ENDS}`;

const READ_FILES = `SELECT r.value->>0 AS place, f.path, f.sha256, f.size, f.mode
  FROM json_each(:wanted) r CROSS JOIN files f
  WHERE f.batch_seq = r.value->>1
    AND (f.path = r.value->>2 OR (f.path > r.value->>2 || '/' AND f.path < r.value->>2 || '0'))
  LIMIT ${FILES}`;

const FORGET = `DELETE FROM child_ends WHERE (stage_id, ordinal, attempt) IN (SELECT value->>0, value->>1, value->>2 FROM json_each(:reports))`;

/**
 * Ends the tasks whose child batches have ended, with all that follows from it; returns how many. Told twice, by two
 * brains or after a crash, an end changes nothing: the task is then at another attempt, or has ended.
 */
export async function finishChildren(
  db: Database,
  params: { now: number; random: () => number },
): Promise<number> {
  const [found] = await db.batch([bindStatement(READ_ENDS, {})], 'read');
  const ends = readRows<EndRow>(found);
  if (ends.length === 0) return 0;
  const { now } = params;
  const files = await readFilesHandedBack(db, ends);
  const reports = toJson(ends.map(reportRow));
  const statements: Statement[] = [
    ...finish({
      agent: BRAIN_NAME,
      reports,
      details: toJson(ends.map((end) => [...judgeEnd(end), null, null, end.created_at, now, ''])),
      files,
      brings_failures: ends.some((end) => end.state !== 'succeeded'),
      logs: [],
      brings_lists: false,
      now,
      seed: Math.floor(params.random() * JITTER_STEPS),
    }),
    ...release(reports),
    ...skip(reports),
    bindStatement(FORGET, { reports }),
  ];
  const stages = [...new Set(ends.map((end) => end.stage))];
  const results = await db.batch([...statements, ...settle({ stages, now })], 'write');
  await settleEmptyStages(db, results, statements.length, now);
  return ends.length;
}

interface EndRow {
  readonly stage: number;
  readonly ordinal: number;
  readonly attempt: number;
  readonly child_id: string;
  /** Of the child; null: it is gone. */
  readonly seq: number | null;
  readonly state: 'succeeded' | 'failed' | 'cancelled' | 'deleted';
  /** The task was told to end: the child was then not cancelled by itself. */
  readonly stop: number | null;
  readonly created_at: number | null;
  /** Null: the parent is gone. */
  readonly definition: string | null;
  readonly inputs: string | null;
  readonly abandoned: number | null;
  readonly failed: string;
}

/** Who cancels or deletes a child does not want it started again; who aborts its task fails a try, as with any task. */
function reportRow({ stage, ordinal, attempt, state, stop }: EndRow): unknown[] {
  const final = stop === null && (state === 'cancelled' || state === 'deleted') ? 1 : 0;
  return [stage, ordinal, attempt, state === 'succeeded' ? 'succeeded' : 'failed', [], final];
}

/** Type and message of the attempt's error. */
function judgeEnd(end: EndRow): [string | null, string | null] {
  const { child_id, state } = end;
  if (state === 'succeeded') return [null, null];
  if (state === 'cancelled') return ['child', `The child batch ${child_id} was cancelled.`];
  if (state === 'deleted') return ['child', `The child batch ${child_id} was deleted before it ended.`];
  const names = JSON.parse(end.failed) as string[];
  const more = Math.max(0, Number(end.abandoned ?? 0) - names.length);
  const which = names.map((name) => `${child_id}:${name}`).join(', ') + (more > 0 ? ` and ${more} more` : '');
  return [
    'child',
    `The child batch ${child_id} failed${names.length === 0 ? '.' : `: ${which}`}`.slice(0, 2_000),
  ];
}

/** Outputs of the parent that the child was given to write: their files are the parent's as well. */
async function readFilesHandedBack(db: Database, ends: readonly EndRow[]): Promise<unknown[][]> {
  const wanted = ends.flatMap((end, place) => {
    if (end.state !== 'succeeded' || end.seq === null || end.definition === null || end.inputs === null)
      return [];
    return outputsHandedOn(end.definition, end.inputs).map((path) => [place, end.seq, `output/${path}`]);
  });
  if (wanted.length === 0) return [];
  const [result] = await db.batch([bindStatement(READ_FILES, { wanted: toJson(wanted) })], 'read');
  return readRows<{ place: number; path: string; sha256: string; size: number; mode: number }>(result).map(
    ({ place, path, sha256, size, mode }) => [place, path, sha256, size, mode],
  );
}

/** Those that the config gives whole, as `{"OUT": "{REPORT}"}`. */
function outputsHandedOn(definition: string, inputs: string): string[] {
  const { child } = JSON.parse(definition) as StageDefinition;
  const bindings = new Map(Object.entries(JSON.parse(inputs) as Record<string, InputBinding>));
  return Object.values(child?.config ?? {}).flatMap((value) => {
    const whole = typeof value === 'string' ? findPlaceholders(value)[0] : undefined;
    const binding = whole?.text === value ? bindings.get(whole?.name ?? '') : undefined;
    return binding?.kind === 'output_file' || binding?.kind === 'output_folder' ? [binding.path] : [];
  });
}
