import { findPlaceholders } from '@planfleet/shared-types';
import type { Attempt } from './attempt.ts';
import type { OutputBook } from './ledgers.ts';
import { readFileClock, type Writer } from './output-ledger.ts';

/** An output that an attempt names, and its place among those that write there. */
export interface OutputWriter {
  readonly path: string;
  readonly book: OutputBook;
  readonly writer: Writer;
}

/** From here on the attempt may write its outputs: those that its command, `env` or `produces` name. */
export async function openOutputs(attempt: Attempt): Promise<void> {
  const { spec, shop } = attempt;
  if (spec.command === null) return;
  const templates = [spec.command, ...Object.values(spec.env), ...spec.produces];
  const named = new Set(templates.flatMap((text) => findPlaceholders(text).map(({ name }) => name)));
  const paths = new Set<string>();
  for (const [name, { kind }] of Object.entries(spec.inputs)) {
    const path = attempt.values.variables[name];
    const isOutput = kind === 'output_file' || kind === 'output_folder';
    if (isOutput && named.has(name) && path !== undefined) paths.add(path);
  }
  if (paths.size === 0) return;
  const start = await readFileClock(attempt.batch_path);
  for (const path of paths) {
    const book = shop.ledgers.of(path);
    attempt.outputs.push({ path, book, writer: book.ledger.begin(start) });
  }
  shop.carriers.begin(attempt);
}

/** The attempt writes no more; says when. */
export async function closeOutputs(attempt: Attempt, isSuccess: boolean): Promise<bigint> {
  if (attempt.outputs.length === 0) return 0n;
  const end = await readFileClock(attempt.batch_path).catch(
    () => BigInt(attempt.shop.clock.now()) * 1_000_000n,
  );
  const wasRunning = attempt.outputs.some(({ writer }) => writer.outcome === 'running');
  for (const { book, writer } of attempt.outputs) book.ledger.end(writer, end, isSuccess);
  if (wasRunning) attempt.shop.carriers.end(attempt, isSuccess);
  if (!isSuccess) for (const { source } of attempt.uploads) attempt.shop.ledgers.unsettle(source);
  return end;
}
