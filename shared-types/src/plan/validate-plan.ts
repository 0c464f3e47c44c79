import { type CheckedChild, checkChildren, type KnownPlans } from './checks/check-children.ts';
import { checkCommands } from './checks/check-commands.ts';
import { checkCycles } from './checks/check-cycles.ts';
import { checkDependencies } from './checks/check-dependencies.ts';
import { checkFieldLists } from './checks/check-field-lists.ts';
import { checkFields } from './checks/check-fields.ts';
import { checkForeachFiles } from './checks/check-foreach-files.ts';
import { checkHeadings } from './checks/check-headings.ts';
import { checkIds } from './checks/check-ids.ts';
import { checkInputs } from './checks/check-inputs.ts';
import { checkItemFields } from './checks/check-item-fields.ts';
import { checkNearPlaceholders } from './checks/check-near-placeholders.ts';
import { checkPlaceholders } from './checks/check-placeholders.ts';
import { checkScripts } from './checks/check-scripts.ts';
import { checkSections } from './checks/check-sections.ts';
import { checkSupport } from './checks/check-support.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { ParsedPlan } from './plan.ts';
import { readPlan } from './read-plan.ts';

/** What is known besides the text; a check whose facts are missing is not made. */
export interface ValidateOptions {
  /** Paths of the files of the plan folder, relative to it. */
  readonly files?: readonly string[];
  /** The values given at submission, by name. */
  readonly inputs?: Readonly<Record<string, string>>;
  /** Those of them that are sent along, so that their values are names and not paths on a machine. */
  readonly travelling?: readonly string[];
  /** The plans that tasks of type execute_plan may name. */
  readonly plans?: KnownPlans;
}

/** Plans within plans that are looked into; what a longer chain does is told when it runs. */
const DEEPEST = 8;

/** Every problem of a plan at once, in the order of its lines. Whatever the text, it never throws. */
export function validatePlan(
  markdown: string,
  options: ValidateOptions = {},
  depth = 0,
): { plan: ParsedPlan; diagnostics: Diagnostic[] } {
  const draft = readPlan(markdown);
  checkSections(draft);
  checkHeadings(draft);
  checkIds(draft);
  checkFieldLists(draft);
  checkFields(draft);
  checkDependencies(draft);
  checkCycles(draft);
  checkPlaceholders(draft);
  checkNearPlaceholders(draft);
  checkItemFields(draft);
  checkCommands(draft, options.inputs);
  checkForeachFiles(draft);
  checkScripts(draft, options.files);
  checkInputs(draft, { values: options.inputs, travelling: options.travelling ?? [] });
  checkChildren(draft, options.plans, options.travelling ?? [], readChildren(options, depth));
  checkSupport(draft);
  return { plan: draft.plan, diagnostics: draft.found.sorted() };
}

/** Each plan.md is looked through once, however many tasks execute it. */
function readChildren(options: ValidateOptions, depth: number) {
  const read = new Map<string, CheckedChild>();
  return (markdown: string, folder: string | null): CheckedChild => {
    const known = read.get(markdown);
    if (known !== undefined) return known;
    const child = readChild(markdown, folder, options, depth + 1);
    read.set(markdown, child);
    return child;
  };
}

function readChild(
  markdown: string,
  folder: string | null,
  { files, plans }: ValidateOptions,
  depth: number,
): CheckedChild {
  // A registered plan was looked through when it was registered.
  if (folder === null || depth > DEEPEST) return { problem: null, plan: readPlan(markdown).plan };
  const inside = (path: string) => (path.startsWith(`${folder}/`) ? [path.slice(folder.length + 1)] : []);
  const below = [...(plans?.folders ?? [])].flatMap(([path, text]) =>
    inside(path).map((name) => [name, text] as const),
  );
  const { plan, diagnostics } = validatePlan(
    markdown,
    {
      ...(files === undefined ? {} : { files: files.flatMap(inside) }),
      ...(plans === undefined
        ? {}
        : {
            plans: {
              folders: plans.folders === null ? null : new Map(below),
              registered: plans.registered,
            },
          }),
    },
    depth,
  );
  const first = diagnostics.find((diagnostic) => diagnostic.severity === 'error');
  return { problem: first === undefined ? null : `line ${first.line}: ${first.message}`, plan };
}
