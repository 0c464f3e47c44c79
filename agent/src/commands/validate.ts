import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ApiClient } from '../client/api-client.ts';
import { EXIT, type ExitCode } from '../client/cli-error.ts';
import { countDiagnostics, formatDiagnostic, splitPlanText } from '../client/diagnostics.ts';
import { type FixedFile, fixPlanFile } from '../client/fix-plan-file.ts';
import { formatDiff } from '../client/format-diff.ts';
import { type LocalPlan, openPlan } from '../client/open-plan.ts';
import { packFolder } from '../client/pack-folder.ts';
import { withTemporaryFolder } from '../client/temporary-folder.ts';
import { printJson, type Terminal } from '../client/terminal.ts';
import { type PlanCheck, validatePlan } from '../client/validate-plan.ts';
import { connect, type ServerOptions } from './connect.ts';

export interface ValidateOptions extends ServerOptions {
  fix?: boolean;
}

/** With `--fix` the plan is repaired first, and what is left is what is printed. */
export async function validate(
  path: string,
  options: ValidateOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const client = await connect(options, terminal);
  let plan = await openPlan(path, terminal.cwd);
  const repaired = options.fix === true ? await fixPlanFile(plan) : null;
  if (repaired !== null) plan = await openPlan(path, terminal.cwd);
  const check = await askServer(client, plan);
  if (options.json) printJson(terminal, withFixes(check.raw, repaired));
  else {
    if (repaired !== null) printRepairs(repaired, terminal);
    await printCheck(check, plan, terminal);
  }
  return check.valid ? EXIT.done : EXIT.usage;
}

function askServer(client: ApiClient, plan: LocalPlan): Promise<PlanCheck> {
  return withTemporaryFolder(async (temporary) => {
    if (plan.markdown !== null) return await validatePlan(client, { markdown: plan.markdown });
    const packed = await packFolder(plan.folder, plan.entries, join(temporary, 'plan.tgz'));
    return await validatePlan(client, { bundle: packed.file });
  });
}

/** What was repaired is named beside what is left; its lines are those of the text it was found in. */
function withFixes(raw: unknown, repaired: FixedFile | null): unknown {
  if (repaired === null || typeof raw !== 'object') return raw;
  return { ...raw, changed: repaired.after !== repaired.before, fixed: repaired.fixed };
}

function printRepairs({ before, after, fixed }: FixedFile, terminal: Terminal): void {
  const { paint } = terminal;
  if (after === before) {
    terminal.out('nothing to fix');
    return;
  }
  for (const line of formatDiff(before, after, paint)) terminal.out(line);
  const codes = [...new Set(fixed.map(({ code }) => code))].sort();
  terminal.out(`${paint.green('fixed:')} ${countDiagnostics(fixed)} (${codes.join(', ')})`);
}

async function printCheck(check: PlanCheck, plan: LocalPlan, terminal: Terminal): Promise<void> {
  const { valid, diagnostics, plan_name } = check;
  const { paint } = terminal;
  const text = splitPlanText(await readFile(plan.plan_file, 'utf8'));
  for (const each of diagnostics) for (const line of formatDiagnostic(each, paint, text)) terminal.out(line);
  const counted = countDiagnostics(diagnostics);
  const name = plan_name ?? 'plan.md';
  terminal.out(
    valid
      ? `${paint.green('valid:')} ${name}${counted === '' ? '' : ` (${counted})`}`
      : `${paint.red('not valid:')} ${counted}`,
  );
}
