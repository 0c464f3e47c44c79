import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import type { Diagnostic, Submitted } from '@planfleet/shared-types';
import type { ApiClient } from '../client/api-client.ts';
import { CliError, EXIT, type ExitCode, usageError } from '../client/cli-error.ts';
import { countDiagnostics, formatDiagnostic, refusedDiagnostics } from '../client/diagnostics.ts';
import { type Output, plannedOutputs } from '../client/download-outputs.ts';
import { type LocalPlan, openPlan } from '../client/open-plan.ts';
import { packPlan } from '../client/pack-plan.ts';
import { type GivenInputs, parseInputs } from '../client/parse-inputs.ts';
import { type PlanName, parsePlanName } from '../client/plan-name.ts';
import { type PlanSource, postSubmission } from '../client/post-submission.ts';
import { withTemporaryFolder } from '../client/temporary-folder.ts';
import { printJson, type Terminal } from '../client/terminal.ts';
import { checkPaths, checkTravelling, uploadInputs } from '../client/upload-inputs.ts';
import { validatePlan } from '../client/validate-plan.ts';
import { watchCommand } from '../client/watch-command.ts';
import { connect, type ServerOptions } from './connect.ts';
import { followBatch } from './follow-batch.ts';

export interface SubmitOptions extends ServerOptions {
  config?: string;
  input?: string[];
  name?: string;
  priority?: number;
  watch?: boolean;
  plan?: string;
  idempotencyKey?: string;
}

/** Validates, sends what travels, submits; with `--watch` stays until the end. */
export async function submit(
  path: string | undefined,
  options: SubmitOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const given = await parseInputs(options.config, options.input ?? [], terminal.cwd);
  await checkPaths(given.travelling, []);
  const plan = await choosePlan(path, options.plan, terminal);
  const client = await connect(options, terminal);
  const { raw, submitted, replayed, outputs } = await withTemporaryFolder((temporary) =>
    send({ client, plan, given, options, terminal, temporary }),
  );
  if (options.json) printJson(terminal, raw);
  else sayStored({ submitted, replayed, outputs }, options, terminal);
  if (options.watch !== true) return EXIT.done;
  return followBatch({
    client,
    batch_id: submitted.batch_id,
    outputs,
    json: options.json === true,
    terminal,
  });
}

/** The plan on this machine, or the registered one that is named instead. */
async function choosePlan(
  path: string | undefined,
  name: string | undefined,
  terminal: Terminal,
): Promise<LocalPlan | PlanName> {
  if (path !== undefined && name !== undefined)
    throw usageError(
      `both a plan here (${path}) and a registered one (${name}) are named`,
      'Name one of them.',
    );
  if (name !== undefined) return parsePlanName(name);
  if (path !== undefined) return openPlan(path, terminal.cwd);
  throw usageError('no plan is named', 'Name a plan folder, or a registered plan with --plan NAME.');
}

interface Sending {
  readonly client: ApiClient;
  readonly plan: LocalPlan | PlanName;
  readonly given: GivenInputs;
  readonly options: SubmitOptions;
  readonly terminal: Terminal;
  readonly temporary: string;
}

interface Sent {
  readonly submitted: Submitted;
  /** It had been submitted before, under the same key. */
  readonly replayed: boolean;
  readonly outputs: readonly Output[];
}

async function send(sending: Sending): Promise<Sent & { raw: unknown }> {
  const { client, plan, given, options, terminal, temporary } = sending;
  const source: PlanSource = 'folder' in plan ? { bundle: await packPlan(plan, temporary) } : plan;
  const validation = await validatePlan(client, source, valuesOf(given));
  for (const each of validation.diagnostics)
    for (const line of formatDiagnostic(each, terminal.paint)) terminal.err(line);
  if (!validation.valid) throw refusedPlan(validation.diagnostics);
  checkTravelling(given.travelling, validation.inputs);
  await checkPaths(given.travelling, validation.inputs);
  const outputs = plannedOutputs(given.config, validation.inputs, terminal.cwd);
  const uploads = await uploadInputs(client, given.travelling, temporary, (line) => terminal.err(line));

  try {
    const stored = await postSubmission(client, {
      source,
      config: given.config,
      uploads,
      name: options.name,
      priority: options.priority,
      idempotency_key: options.idempotencyKey ?? randomUUID(),
    });
    return { ...stored, outputs };
  } catch (error) {
    const diagnostics = refusedDiagnostics(error);
    if (diagnostics === null) throw error;
    // What only shows together with the inputs, such as a required one that was not given.
    for (const each of diagnostics)
      for (const line of formatDiagnostic(each, terminal.paint)) terminal.err(line);
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

function refusedPlan(diagnostics: readonly Diagnostic[]): CliError {
  return new CliError(
    EXIT.usage,
    `the plan is not valid (${countDiagnostics(diagnostics)}); nothing was submitted`,
  );
}

function sayStored({ submitted, replayed, outputs }: Sent, options: SubmitOptions, terminal: Terminal): void {
  const { batch_id, plan_name, plan_version, stages } = submitted;
  const version = plan_version === null ? '' : ` (version ${plan_version})`;
  // An answer that was lost and fetched again is no news; that a key was used before is.
  const how = replayed && options.idempotencyKey !== undefined ? 'was submitted before' : 'submitted';
  terminal.out(
    `Batch ${terminal.paint.bold(batch_id)} ${how}: ${plan_name}${version}, ${stages} ${stages === 1 ? 'stage' : 'stages'}`,
  );
  if (options.watch !== true) terminal.out(`Watch it: ${watchCommand(batch_id, outputs)}`);
}
