import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Diagnostic, type Submitted, submittedSchema } from '@planfleet/shared-types';
import type { ApiClient } from '../client/api-client.ts';
import { CliError, EXIT, type ExitCode } from '../client/cli-error.ts';
import {
  countDiagnostics,
  formatDiagnostic,
  refusedDiagnostics,
  splitPlanText,
} from '../client/diagnostics.ts';
import { type Output, plannedOutputs } from '../client/download-outputs.ts';
import { type LocalPlan, openPlan } from '../client/open-plan.ts';
import { packFolder } from '../client/pack-folder.ts';
import { type GivenInputs, parseInputs } from '../client/parse-inputs.ts';
import { withTemporaryFolder } from '../client/temporary-folder.ts';
import { printJson, type Terminal } from '../client/terminal.ts';
import { checkPaths, checkTravelling, uploadInputs } from '../client/upload-inputs.ts';
import { bundleForm, validatePlan } from '../client/validate-plan.ts';
import { watchCommand } from '../client/watch-command.ts';
import { connect, type ServerOptions } from './connect.ts';
import { followBatch } from './follow-batch.ts';

export interface SubmitOptions extends ServerOptions {
  config?: string;
  input?: string[];
  name?: string;
  priority?: number;
  watch?: boolean;
}

/** Validates, sends what travels, submits; with `--watch` stays until the end. */
export async function submit(path: string, options: SubmitOptions, terminal: Terminal): Promise<ExitCode> {
  const given = await parseInputs(options.config, options.input ?? [], terminal.cwd);
  await checkPaths(given.travelling, []);
  const plan = await openPlan(path, terminal.cwd);
  const client = await connect(options, terminal);
  const { raw, submitted, outputs } = await withTemporaryFolder((temporary) =>
    send({ client, plan, given, options, terminal, temporary }),
  );
  if (options.json) printJson(terminal, raw);
  else sayStored(submitted, outputs, options, terminal);
  if (options.watch !== true) return EXIT.done;
  return followBatch({
    client,
    batch_id: submitted.batch_id,
    outputs,
    json: options.json === true,
    terminal,
  });
}

interface Sending {
  readonly client: ApiClient;
  readonly plan: LocalPlan;
  readonly given: GivenInputs;
  readonly options: SubmitOptions;
  readonly terminal: Terminal;
  readonly temporary: string;
}

async function send(sending: Sending): Promise<{ raw: unknown; submitted: Submitted; outputs: Output[] }> {
  const { client, given, options, terminal, temporary } = sending;
  const bundle = await packPlan(sending.plan, temporary);
  const validation = await validatePlan(client, { bundle, values: valuesOf(given) });
  const text = splitPlanText(await readFile(sending.plan.plan_file, 'utf8'));
  for (const each of validation.diagnostics)
    for (const line of formatDiagnostic(each, terminal.paint, text)) terminal.err(line);
  if (!validation.valid) throw refusedPlan(validation.diagnostics);
  checkTravelling(given.travelling, validation.inputs);
  await checkPaths(given.travelling, validation.inputs);
  const outputs = plannedOutputs(given.config, validation.inputs, terminal.cwd);
  const uploads = await uploadInputs(client, given.travelling, temporary, (line) => terminal.err(line));

  const form = await bundleForm(bundle);
  form.set('config', JSON.stringify(given.config));
  form.set('uploads', JSON.stringify(uploads));
  if (options.name !== undefined) form.set('name', options.name);
  if (options.priority !== undefined) form.set('priority', String(options.priority));
  try {
    // Not repeated when the answer is lost: the batch may be there, and a second one would run twice.
    const { raw, value } = await client.read(submittedSchema, '/v1/batches', { body: form }, 'POST');
    return { raw, submitted: value, outputs };
  } catch (error) {
    const diagnostics = refusedDiagnostics(error);
    if (diagnostics === null) throw error;
    // What only shows together with the inputs, such as a required one that was not given.
    for (const each of diagnostics)
      for (const line of formatDiagnostic(each, terminal.paint, text)) terminal.err(line);
    throw refusedPlan(diagnostics);
  }
}

/**
 * What travels has no hash yet; that it is given is enough to find what is missing before anything large is sent.
 * It is named as a path on the machine, which a relative one would not be.
 */
function valuesOf({ config, travelling }: GivenInputs): Record<string, string> {
  const places = [...travelling].map(([key, path]) => [key, `/${basename(path)}`] as const);
  return { ...config, ...Object.fromEntries(places) };
}

async function packPlan(plan: LocalPlan, temporary: string): Promise<string> {
  const file = join(temporary, 'plan.tgz');
  if (plan.markdown === null) return (await packFolder(plan.folder, plan.entries, file)).file;
  // Whatever the file is called here, in a bundle the plan is plan.md.
  const folder = join(temporary, 'plan');
  await mkdir(folder);
  await writeFile(join(folder, 'plan.md'), plan.markdown);
  return (await packFolder(folder, [{ path: 'plan.md', kind: 'file' }], file)).file;
}

function refusedPlan(diagnostics: readonly Diagnostic[]): CliError {
  return new CliError(
    EXIT.usage,
    `the plan is not valid (${countDiagnostics(diagnostics)}); nothing was submitted`,
    { code: 'invalid_plan', details: { diagnostics } },
  );
}

function sayStored(
  submitted: Submitted,
  outputs: readonly Output[],
  options: SubmitOptions,
  terminal: Terminal,
): void {
  const { batch_id, plan_name, stages } = submitted;
  terminal.out(
    `Batch ${terminal.paint.bold(batch_id)} submitted: ${plan_name}, ${stages} ${stages === 1 ? 'stage' : 'stages'}`,
  );
  if (options.watch !== true) terminal.out(`Watch it: ${watchCommand(batch_id, outputs)}`);
}
