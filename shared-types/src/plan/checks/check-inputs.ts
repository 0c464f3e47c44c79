import { findNearestName } from '../find-nearest-name.ts';
import type { PlanDraft } from '../read-plan.ts';

/** Every input is used; and where values are given, they are those that the plan asks for. */
export function checkInputs(draft: PlanDraft, given: Readonly<Record<string, string>> | undefined): void {
  const offsets = new Map(draft.inputs.map((input) => [input.name, input.offset]));
  for (const input of draft.plan.inputs) {
    const offset = offsets.get(input.name) ?? 0;
    if (!input.used) {
      draft.found.add({
        severity: 'warning',
        rule: 'unused_input',
        subject: input.name,
        message: `No task and no Setup uses {${input.name}}.`,
        offset,
        hint: `Use {${input.name}} in a command, or remove it.`,
      });
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
  }
  for (const [name, value] of Object.entries(given ?? {})) checkGiven(draft, offsets, name, value);
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
          ? `Its inputs are: ${[...offsets.keys()].join(', ') || '(none)'}.`
          : `Did you mean ${suggest}?`,
    });
  } else if (value.includes('\0')) {
    draft.found.add({
      severity: 'error',
      rule: 'invalid_input',
      subject: name,
      message: `The value of ${name} holds a NUL character, which no argument can carry.`,
      offset,
    });
  }
}
