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
}

/** Every problem of a plan at once, in the order of its lines. Whatever the text, it never throws. */
export function validatePlan(
  markdown: string,
  options: ValidateOptions = {},
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
  checkSupport(draft);
  return { plan: draft.plan, diagnostics: draft.found.sorted() };
}
