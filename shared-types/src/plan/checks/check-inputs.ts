import { findPlaceholders } from '../../template/find-placeholders.ts';
import { builtinVariables } from '../../template/lookup-value.ts';
import { fieldValue } from '../field-reader.ts';
import { type FieldValue, joinLines, sourceOffset } from '../field-value.ts';
import { findNearestName } from '../find-nearest-name.ts';
import type { PlanInput } from '../plan.ts';
import type { RejectedInput } from '../read-inputs.ts';
import type { PlanDraft } from '../read-plan.ts';
import { allEdits, removeLines, replaceText, type SourceEdit } from '../source-edits.ts';

/** What was given at submission: values by name, and which of the inputs are sent along. */
export interface GivenInputs {
  readonly values: Readonly<Record<string, string>> | undefined;
  readonly travelling: readonly string[];
}

/** Every input is used; and where values are given, they are those that the plan asks for. */
export function checkInputs(draft: PlanDraft, { values: given, travelling }: GivenInputs): void {
  for (const rejected of draft.rejected_inputs) reportName(draft, rejected);
  const offsets = new Map(draft.inputs.map((input) => [input.name, input.offset]));
  for (const input of draft.plan.inputs) {
    const offset = offsets.get(input.name) ?? 0;
    if (!input.used) {
      if (draft.tasks.length === 0 || isUsedByIgnored(draft, input.name)) continue;
      draft.found.add({
        severity: 'warning',
        rule: 'unused_input',
        subject: input.name,
        message: `No task and no Setup uses {${input.name}}.`,
        offset,
        hint: hintUnused(draft, input.name),
        edits: removeUnused(draft, input.name),
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
    const value = given !== undefined && Object.hasOwn(given, input.name) ? given[input.name] : undefined;
    if (input.used) checkLiteral(draft, input, value ?? input.default ?? '', offset);
    if (value !== undefined && !travelling.includes(input.name)) checkPlace(draft, input, value, offset);
  }
  for (const [name, value] of Object.entries(given ?? {})) checkGiven(draft, offsets, name, value);
}

/** Not while there are errors: what would use it may be missing, misspelled or not read. */
function removeUnused(draft: PlanDraft, name: string): SourceEdit[] | undefined {
  const input = draft.inputs.find((each) => each.name === name);
  if (input === undefined || draft.found.hasErrors() || findMention(draft, name) !== null) return undefined;
  return allEdits(removeLines(draft.source, input.offset, input.end));
}

/** Where the name stands elsewhere: it may have lost its braces. */
function findMention(draft: PlanDraft, name: string): number | null {
  const input = draft.inputs.find((each) => each.name === name);
  if (input === undefined) return null;
  for (const match of draft.source.text.matchAll(new RegExp(`(?<!\\w)${name}(?!\\w)`, 'g')))
    if (match.index < input.offset || match.index >= input.end) return match.index;
  return null;
}

function hintUnused(draft: PlanDraft, name: string): string {
  const mention = findMention(draft, name);
  if (mention === null) return `Use {${name}} in a command, or remove it.`;
  return `Write {${name}} in line ${draft.source.positionAt(mention).line}, if it is meant there; or remove it.`;
}

/** A field that does not count because of its name or place is reported; what it uses is meant to be used. */
function isUsedByIgnored(draft: PlanDraft, name: string): boolean {
  const { text } = draft.source;
  return draft.tasks.some(({ unknown, late, near }) => {
    const ignored = [...unknown.map(({ field }) => field), ...late];
    const lines = near.map(
      (each) => text.slice(each.edit.start, each.edit.end + 2_000).split(/[\r\n]/, 1)[0] ?? '',
    );
    if (lines.some((line) => line.includes(`{${name}}`))) return true;
    return ignored.some(({ value }) => joinLines(value).text.includes(`{${name}}`));
  });
}

/** The name in capitals, in the list and wherever a task or Setup holds it in braces. */
function reportName(draft: PlanDraft, { name, better, offset, name_offset }: RejectedInput): void {
  const taken = better === null || draft.inputs.some((input) => input.name === better);
  const values = [
    draft.setup,
    ...draft.tasks.flatMap(({ fields }) => [...fields.values()].map((field) => joinLines(fieldValue(field)))),
  ];
  const uses = values.flatMap((value) => (value === null ? [] : findUses(value, name)));
  const isUsed =
    better !== null && draft.tasks.some(({ task }) => task.placeholders.some((each) => each.name === better));
  const edits =
    better === null || taken
      ? undefined
      : allEdits(
          replaceText(draft.source, name_offset, name, better),
          ...uses.map((start) => replaceText(draft.source, start, name, better)),
        );
  draft.found.add({
    // Used in capitals it has no value: this is the one fault, and the placeholder is not reported.
    severity: isUsed && !taken ? 'error' : 'warning',
    rule: 'invalid_input_name',
    subject: name,
    message: `"${name}" cannot be used as a placeholder: names of inputs are capital letters, digits and "_".`,
    offset,
    hint:
      better === null
        ? 'Give it a name like INPUT_FOLDER.'
        : `Write ${better}, and {${better}} in the tasks.`,
    ...(better === null ? {} : { suggest: better }),
    edits,
  });
}

/** Offsets in the plan of a name in braces, which bash would not read as its own. */
function findUses(value: FieldValue, name: string): number[] {
  const uses: number[] = [];
  for (let at = value.text.indexOf(`{${name}}`); at !== -1; at = value.text.indexOf(`{${name}}`, at + 1)) {
    if (value.text[at - 1] !== '$') uses.push(sourceOffset(value, at + 1));
  }
  return uses;
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
