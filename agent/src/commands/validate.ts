import { join } from 'node:path';
import { EXIT, type ExitCode } from '../client/cli-error.ts';
import { countDiagnostics, formatDiagnostic } from '../client/diagnostics.ts';
import { openPlan } from '../client/open-plan.ts';
import { packFolder } from '../client/pack-folder.ts';
import { withTemporaryFolder } from '../client/temporary-folder.ts';
import { printJson, type Terminal } from '../client/terminal.ts';
import { validatePlan } from '../client/validate-plan.ts';
import { connect, type ServerOptions } from './connect.ts';

export async function validate(path: string, options: ServerOptions, terminal: Terminal): Promise<ExitCode> {
  const plan = await openPlan(path, terminal.cwd);
  const client = await connect(options, terminal);
  const validation = await withTemporaryFolder(async (temporary) => {
    if (plan.markdown !== null) return await validatePlan(client, { markdown: plan.markdown });
    const packed = await packFolder(plan.folder, plan.entries, join(temporary, 'plan.tgz'));
    return await validatePlan(client, { bundle: packed.file });
  });
  const { valid, diagnostics, plan_name } = validation;
  if (options.json) printJson(terminal, validation.raw);
  else {
    for (const each of diagnostics)
      for (const line of formatDiagnostic(each, terminal.paint)) terminal.out(line);
    const counted = countDiagnostics(diagnostics);
    const name = plan_name ?? 'plan.md';
    terminal.out(
      valid
        ? `${terminal.paint.green('valid:')} ${name}${counted === '' ? '' : ` (${counted})`}`
        : `${terminal.paint.red('not valid:')} ${counted}`,
    );
  }
  return valid ? EXIT.done : EXIT.usage;
}
