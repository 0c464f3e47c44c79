import { basename, resolve } from 'node:path';
import { type FileView, fileViewSchema } from '@planfleet/shared-types';
import { type ApiClient, UnreachableError } from './api-client.ts';
import { batchPath } from './batch-path.ts';
import { CliError, EXIT, usageError } from './cli-error.ts';
import { downloadFile, targetBelow } from './download-file.ts';
import { readPages } from './read-pages.ts';
import { retryRequest } from './retry-request.ts';
import type { PlanInput } from './validate-plan.ts';

/** Where a result of the batch goes on this machine. */
export interface Output {
  readonly input: string;
  /** Null: whichever of the two the batch has at `path`. */
  readonly kind: 'output_file' | 'output_folder' | null;
  /** Absolute. */
  readonly target: string;
  /** Its place in the batch: `output/<base name>`. */
  readonly path: string;
}

/** The outputs that were given a path; those left at their default stay with the batch. */
export function plannedOutputs(
  config: Readonly<Record<string, string>>,
  inputs: readonly PlanInput[],
  cwd: string,
): Output[] {
  const outputs: Output[] = [];
  for (const { name, kind } of inputs) {
    const value = config[name];
    if (value === undefined || value === '' || (kind !== 'output_file' && kind !== 'output_folder')) continue;
    outputs.push(planOutput(name, kind, value, cwd));
  }
  return refuseTwice(outputs);
}

/** The outputs of a batch that is there already, each `NAME=PATH` as it was given when it was submitted. */
export function namedOutputs(texts: readonly string[], cwd: string): Output[] {
  const outputs = texts.map((text) => {
    const at = text.indexOf('=');
    if (at < 1 || at === text.length - 1)
      throw usageError(`-o ${text}: it is NAME=PATH`, 'Write it as it was given to submit.');
    return planOutput(text.slice(0, at), null, text.slice(at + 1), cwd);
  });
  return refuseTwice(outputs);
}

function planOutput(name: string, kind: Output['kind'], value: string, cwd: string): Output {
  const base = basename(value);
  if (base === '' || base === '.' || base === '..')
    throw usageError(
      `${name}: "${value}" does not end in a name`,
      `Write it like -i ${name}=results/totals.csv.`,
    );
  // The control plane would give it another name, and the result would not be found under this one.
  if (/[\p{Cc}\p{Cs}:*?"<>|\\]|^[\s-]|[\s.]$/u.test(base) || [...base].length > 100)
    throw usageError(
      `${name}: "${base}" cannot be the name of an output`,
      'Up to 100 characters without : * ? " < > | \\, no - in front, no dot at the end.',
    );
  return { input: name, kind, target: resolve(cwd, value), path: `output/${base}` };
}

function refuseTwice(outputs: Output[]): Output[] {
  for (const { input, path } of outputs) {
    const other = outputs.find((each) => each.path === path && each.input !== input);
    if (other === undefined) continue;
    throw usageError(
      `${input} and ${other.input} would both be ${path} in the batch`,
      'Give them different names.',
    );
  }
  return outputs;
}

export interface Downloaded {
  /** How many files each output has. */
  readonly found: ReadonlyMap<Output, number>;
  /** What could not be fetched, and why. */
  readonly failed: readonly { readonly path: string; readonly error: CliError }[];
}

/** When so many files in a row met no control plane, the rest would only wait as long for the same answer. */
const GIVE_UP_AFTER = 3;

/** Copies them here, each file complete or not at all; one that cannot be had does not keep the others away. */
export async function downloadOutputs(
  client: ApiClient,
  batchId: string,
  outputs: readonly Output[],
): Promise<Downloaded> {
  const found = new Map<Output, number>(outputs.map((output) => [output, 0]));
  const failed: { path: string; error: CliError }[] = [];
  if (outputs.length === 0) return { found, failed };
  const files: [Output, FileView][] = [];
  for await (const page of readPages(client, fileViewSchema, batchPath(batchId, '/files')))
    for (const file of page.value.items) {
      const output = outputs.find((each) => belongsTo(file.path, each));
      if (output !== undefined) files.push([output, file]);
    }
  let unreachable = 0;
  for (const [output, file] of files) {
    try {
      if (unreachable >= GIVE_UP_AFTER) throw new UnreachableError(EXIT.unreachable, 'not tried any more');
      const target = targetOf(file.path, output);
      await retryRequest(() => downloadFile(client, batchId, file, target));
      found.set(output, (found.get(output) ?? 0) + 1);
      unreachable = 0;
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      unreachable = error instanceof UnreachableError ? unreachable + 1 : 0;
      failed.push({ path: file.path, error });
    }
  }
  return { found, failed };
}

function belongsTo(path: string, output: Output): boolean {
  if (path === output.path) return output.kind !== 'output_folder';
  return output.kind !== 'output_file' && path.startsWith(`${output.path}/`);
}

function targetOf(path: string, output: Output): string {
  if (path === output.path) return output.target;
  return targetBelow(output.target, path.slice(output.path.length + 1));
}
