import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { CsvError, parse as parseCsv } from 'csv-parse';
import { AttemptError } from './attempt.ts';
import { findJsonError } from './find-json-error.ts';
import { readLines } from './read-lines.ts';
import { selectList } from './select-list.ts';

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
  const parser = parseCsv({
    columns: (header: string[]) => checkHeader(header, file),
    bom: true,
    skip_empty_lines: true,
  });
  // Errors of either end come out of the parser; pipe() would lose those of the file.
  pipeline(createReadStream(file), parser, () => undefined);
  try {
    for await (const row of parser) yield row;
  } catch (error) {
    if (error instanceof AttemptError) throw error;
    throw new AttemptError('definition', `${file} is not CSV with a header: ${describeCsvError(error)}`);
  }
}

/** The header names the fields of each item: a name that is missing or there twice would lose a column. */
function checkHeader(header: string[], file: string): string[] {
  const unnamed = header.findIndex((name) => name.trim() === '');
  if (unnamed !== -1) {
    throw new AttemptError(
      'definition',
      `${file} has no name for column ${unnamed + 1} in its first line, the header`,
    );
  }
  const twice = header.find((name, place) => header.indexOf(name) !== place);
  if (twice !== undefined) {
    throw new AttemptError(
      'definition',
      `${file} has two columns named "${twice}" in its first line, the header`,
    );
  }
  return header;
}

function describeCsvError(error: unknown): string {
  if (!(error instanceof CsvError)) return error instanceof Error ? error.message : String(error);
  const { code, lines, record, columns } = error as CsvError & Record<string, unknown>;
  if (code === 'CSV_RECORD_INCONSISTENT_COLUMNS' && Array.isArray(record) && Array.isArray(columns)) {
    return `line ${String(lines)} has ${record.length} ${record.length === 1 ? 'field' : 'fields'} where the header has ${columns.length}`;
  }
  return error.message;
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
