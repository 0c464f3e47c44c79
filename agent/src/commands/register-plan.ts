import { basename, extname, resolve } from 'node:path';
import { planNameSchema, type RegisteredPlan, registeredPlanSchema } from '@planfleet/shared-types';
import type { ApiClient } from '../client/api-client.ts';
import { CliError, EXIT, type ExitCode, usageError } from '../client/cli-error.ts';
import { countDiagnostics, formatDiagnostic, refusedDiagnostics } from '../client/diagnostics.ts';
import { openPlan } from '../client/open-plan.ts';
import { packPlan } from '../client/pack-plan.ts';
import { retryRequest } from '../client/retry-request.ts';
import { withTemporaryFolder } from '../client/temporary-folder.ts';
import { printJson, type Terminal } from '../client/terminal.ts';
import { bundleForm } from '../client/validate-plan.ts';
import { connect, type ServerOptions } from './connect.ts';

export interface RegisterPlanOptions extends ServerOptions {
  name?: string;
}

/** Keeps a plan under a name; the same content twice is one version. */
export async function registerPlan(
  path: string,
  options: RegisterPlanOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const plan = await openPlan(path, terminal.cwd);
  const name = options.name ?? nameOf(resolve(terminal.cwd, path));
  if (!planNameSchema.safeParse(name).success)
    throw usageError(
      `"${name}" cannot be the name of a plan`,
      'Give one with --name: up to 100 letters, digits, dots, dashes or underscores, first a letter or digit.',
    );
  const client = await connect(options, terminal);
  const { raw, registered } = await withTemporaryFolder(async (temporary) =>
    send(client, name, await packPlan(plan, temporary), terminal),
  );
  for (const each of registered.diagnostics)
    for (const line of formatDiagnostic(each, terminal.paint)) terminal.err(line);
  if (options.json) printJson(terminal, raw);
  else sayRegistered(registered, terminal);
  return EXIT.done;
}

/** The folder's name; a plan.md is in the folder that has it. */
function nameOf(path: string): string {
  if (basename(path).toLowerCase() === 'plan.md') return basename(resolve(path, '..'));
  return /\.(md|markdown)$/i.test(path) ? basename(path, extname(path)) : basename(path);
}

async function send(
  client: ApiClient,
  name: string,
  bundle: string,
  terminal: Terminal,
): Promise<{ raw: unknown; registered: RegisteredPlan }> {
  const body = await bundleForm(bundle);
  try {
    const { raw, value } = await retryRequest(() =>
      client.read(registeredPlanSchema, `/v1/plans/${name}`, { body }, 'PUT'),
    );
    return { raw, registered: value };
  } catch (error) {
    const diagnostics = refusedDiagnostics(error);
    if (diagnostics === null) throw error;
    for (const each of diagnostics)
      for (const line of formatDiagnostic(each, terminal.paint)) terminal.err(line);
    throw new CliError(
      EXIT.usage,
      `the plan is not valid (${countDiagnostics(diagnostics)}); nothing was registered`,
    );
  }
}

function sayRegistered({ name, version, newest_version }: RegisteredPlan, terminal: Terminal): void {
  terminal.out(`Plan ${terminal.paint.bold(name)} is registered: version ${version}`);
  if (version === newest_version) {
    terminal.out(`Submit it: planfleet submit --plan ${name}`);
    return;
  }
  terminal.out(
    `This content was there before, and version ${newest_version} is newer: that is what ${name} means.`,
  );
  terminal.out(`Submit this one: planfleet submit --plan ${name}@${version}`);
}
