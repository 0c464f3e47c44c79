import { findPlaceholders } from '../../template/find-placeholders.ts';
import { builtinVariables } from '../../template/lookup-value.ts';
import { findNearestName } from '../find-nearest-name.ts';
import type { PlanInput } from '../plan.ts';
import type { PlanDraft } from '../read-plan.ts';
import { checkInputNames } from './check-input-names.ts';
import { indexMentions, reportUnused } from './report-unused-input.ts';

/** What was given at submission: values by name, and which of the inputs are sent along. */
export interface GivenInputs {
  readonly values: Readonly<Record<string, string>> | undefined;
  readonly travelling: readonly string[];
}

/** Every input is used; and where values are given, they are those that the plan asks for. */
export function checkInputs(draft: PlanDraft, { values: given, travelling }: GivenInputs): void {
  checkInputNames(draft);
  const uses = indexMentions(draft);
  const offsets = new Map(draft.inputs.map((input) => [input.name, input.offset]));
  for (const input of draft.plan.inputs) {
    const offset = offsets.get(input.name) ?? 0;
    if (!input.used) {
      reportUnused(draft, input, uses);
    } else if (given !== undefined && input.required && !Object.hasOwn(given, input.name)) {
      draft.found.add({
        severity: 'error',
        rule: 'missing_input',
        subject: input.name,
        message: `The input ${input.name} needs a value: ${input.description || 'it has no default'}.`,
        offset,
        hint: `Give -i ${input.name}=...`,
      });
    }
    const value = given !== undefined && Object.hasOwn(given, input.name) ? given[input.name] : undefined;
    if (input.used) checkLiteral(draft, input, value ?? input.default ?? '', offset);
    if (value !== undefined && !travelling.includes(input.name)) checkPlace(draft, input, value, offset);
  }
  for (const [name, value] of Object.entries(given ?? {})) checkGiven(draft, offsets, name, value);
}

/** A value is data, also where it looks like a template. */
function checkLiteral(draft: PlanDraft, input: PlanInput, value: string, offset: number): void {
  const isKnown = (name: string) =>
    builtinVariables.includes(name) || draft.plan.inputs.some((each) => each.name === name);
  const found = findPlaceholders(value).find(({ name, is_item }) => is_item || isKnown(name));
  if (found === undefined) return;
  draft.found.add({
    severity: 'warning',
    rule: 'placeholder_in_value',
    subject: input.name,
    message: `The value of ${input.name} holds ${found.text}, which is passed as it is written: values are not substituted again.`,
    offset,
    hint: `Write ${found.text} in the command, beside {${input.name}}.`,
  });
}

/** A path that is not sent along has to mean the same on a machine that its author has never seen. */
function checkPlace(draft: PlanDraft, input: PlanInput, value: string, offset: number): void {
  if ((input.kind !== 'file' && input.kind !== 'folder') || value === '' || value.startsWith('/')) return;
  draft.found.add({
    severity: 'error',
    rule: 'invalid_input',
    subject: input.name,
    message: `${input.name} is a ${input.kind}, and "${shorten(value)}" is a relative path, which no machine has.`,
    offset,
    hint: `Write -i ${input.name}=@./path to send it, or an absolute path that exists on the machine.`,
  });
}

function shorten(value: string): string {
  return value.length > 80 ? `${value.slice(0, 77)}...` : value;
}

function checkGiven(
  draft: PlanDraft,
  offsets: ReadonlyMap<string, number>,
  name: string,
  value: string,
): void {
  const offset = offsets.get(name);
  if (offset === undefined) {
    const suggest = findNearestName(name, offsets.keys());
    draft.found.add({
      severity: 'error',
      rule: 'unknown_input',
      subject: name,
      message: `The plan has no input ${name}.`,
      offset: draft.inputs_offset ?? 0,
      suggest,
      hint:
        suggest === undefined
          ? `Its inputs are: ${[...offsets.keys()].slice(0, 30).join(', ') || '(none)'}.`
          : `Did you mean ${suggest}?`,
    });
  } else if (value.includes('\0')) {
    draft.found.add({
      severity: 'error',
      rule: 'invalid_input',
      subject: name,
      message: `The value of ${name} holds a NUL character, which no argument can carry.`,
      offset,
      hint: 'Send such data as a file: -i NAME=@./file.',
    });
  }
}
