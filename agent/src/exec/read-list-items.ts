import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { parse as parseCsv } from 'csv-parse';
import { AttemptError } from './attempt.ts';
import { findJsonError } from './find-json-error.ts';
import { readLines } from './read-lines.ts';

/** A JSON document is read whole; beyond this it would block heartbeats for seconds. JSON lines have no limit. */
const MAX_JSON_BYTES = 200_000_000;

/** The items of a list file, by the end of its name: `.jsonl`/`.ndjson`, `.csv`, and JSON for all others. */
export async function* readListItems(
  file: string,
  jsonpath: string | null,
  signal: AbortSignal,
): AsyncGenerator<unknown> {
  const found = await stat(file).catch(() => null);
  if (found === null) {
    throw new AttemptError(
      'definition',
      `The list ${file} is not there: the task succeeded without writing it`,
    );
  }
  if (!found.isFile()) throw new AttemptError('definition', `The list ${file} is not a file`);
  const name = file.toLowerCase();
  const items =
    name.endsWith('.jsonl') || name.endsWith('.ndjson')
      ? readJsonLines(file)
      : name.endsWith('.csv')
        ? readCsv(file)
        : readJson(file, jsonpath, found.size);
  for await (const item of items) {
    signal.throwIfAborted();
    yield item;
  }
}

async function* readJsonLines(file: string): AsyncGenerator<unknown> {
  let number = 0;
  for await (const text of readLines(file)) {
    number += 1;
    if (text.trim() === '') continue;
    try {
      yield JSON.parse(text);
    } catch {
      const problem = findJsonError(text);
      throw new AttemptError(
        'definition',
        `${file} is not JSON in line ${number}, column ${problem.column}: ${problem.message}`,
      );
    }
  }
}

async function* readCsv(file: string): AsyncGenerator<unknown> {
  const parser = parseCsv({ columns: true, bom: true, skip_empty_lines: true });
  // Errors of either end come out of the parser; pipe() would lose those of the file.
  pipeline(createReadStream(file), parser, () => undefined);
  try {
    for await (const row of parser) yield row;
  } catch (error) {
    throw new AttemptError(
      'definition',
      `${file} is not CSV with a header: ${error instanceof Error ? error.message : error}`,
    );
  }
}

async function* readJson(file: string, jsonpath: string | null, size: number): AsyncGenerator<unknown> {
  if (size > MAX_JSON_BYTES) {
    throw new AttemptError(
      'definition',
      `The list ${file} has ${size} bytes; write JSON lines (.jsonl) for lists of this size`,
    );
  }
  const text = (await readFile(file, 'utf8')).replace(/^\uFEFF/, '');
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    const { line, column, message } = findJsonError(text);
    throw new AttemptError('definition', `${file} is not JSON, line ${line}, column ${column}: ${message}`);
  }
  yield* selectList(document, jsonpath, file);
}

function selectList(document: unknown, jsonpath: string | null, file: string): unknown[] {
  let value = document;
  const walked: string[] = [];
  for (const key of jsonpath === null || jsonpath === '' ? [] : jsonpath.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) {
      const where = walked.length === 0 ? 'at the top' : `at "${walked.join('.')}"`;
      throw new AttemptError(
        'definition',
        `${file} has no "${key}" ${where}; there is ${describeKeys(value)}`,
      );
    }
    value = Object.entries(value).find(([name]) => name === key)?.[1];
    walked.push(key);
  }
  if (Array.isArray(value)) return value;
  const place = walked.length === 0 ? file : `"${walked.join('.')}" in ${file}`;
  throw new AttemptError('definition', `${place} is not a list; there is ${describeKeys(value)}`);
}

function describeKeys(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : `a ${typeof value}`;
  const keys = Object.keys(value);
  if (keys.length === 0) return 'an empty object';
  return `an object with ${keys.slice(0, 20).join(', ')}${keys.length > 20 ? ', ...' : ''}`;
}
