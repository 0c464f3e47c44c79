import { type PlanDetail, planDetailSchema } from '@planfleet/shared-types';
import { EXIT, type ExitCode } from '../client/cli-error.ts';
import { formatTable } from '../client/format-table.ts';
import { parsePlanName } from '../client/plan-name.ts';
import { printableLine, printableText } from '../client/printable-text.ts';
import { printJson, type Terminal } from '../client/terminal.ts';
import { connect, type ServerOptions } from './connect.ts';

export interface ShowPlanOptions extends ServerOptions {
  markdown?: boolean;
}

/** What a registered plan takes and does, or its text. */
export async function showPlan(
  name: string,
  options: ShowPlanOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { plan, version } = parsePlanName(name);
  const client = await connect(options, terminal);
  const query = { version: version ?? undefined };
  const { raw, value } = await client.read(planDetailSchema, `/v1/plans/${plan}`, { query });
  if (options.json) printJson(terminal, raw);
  else if (options.markdown) terminal.out(printableText(value.markdown).replace(/\n$/, ''));
  else for (const line of describePlan(value, terminal)) terminal.out(line);
  return EXIT.done;
}

function describePlan(plan: PlanDetail, { paint }: Terminal): string[] {
  const { name, version, title, digest, registered_by, created_at, goal } = plan;
  const heading = title === '' ? '' : `: ${printableLine(title, 200)}`;
  const inputs = plan.inputs.map((input) => [
    `  ${input.name}`,
    input.kind.replace('_', ' '),
    input.default !== null
      ? `default ${printableLine(input.default, 60)}`
      : input.required
        ? 'required'
        : 'optional',
    printableLine(input.description, 200),
  ]);
  const tasks = plan.tasks.map((task) => [
    `  ${task.id}`,
    task.task_class,
    task.has_list ? 'one per item' : '',
    task.depends_on.length === 0 ? '' : `after ${task.depends_on.join(', ')}`,
    printableLine(task.description ?? '', 200),
  ]);
  const files = plan.files?.filter((file) => file !== 'plan.md') ?? [];
  return [
    `Plan ${paint.bold(name)} version ${version}${heading}`,
    `registered by ${printableLine(registered_by, 40)} at ${created_at}, digest ${digest.slice(0, 12)}`,
    ...(goal === null ? [] : [printableLine(goal, 500)]),
    ...section('Inputs', formatTable(inputs)),
    ...section('Tasks', formatTable(tasks)),
    ...section(
      'Files besides plan.md',
      files.map((file) => `  ${printableLine(file, 200)}`),
    ),
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...lines];
}
