import { isInteger } from '../../template/escape-value.ts';
import { IN_PARAMETER } from '../../template/expansion-scanner.ts';
import { findInnerShells } from '../../template/find-inner-shells.ts';
import { type ScannedCommand, scanCommand } from '../../template/scan-command.ts';
import { fieldValue } from '../field-reader.ts';
import { type FieldValue, joinLines, sourceOffset } from '../field-value.ts';
import type { PlanDraft } from '../read-plan.ts';
import { allEdits, placeInLine, type SourceEdit } from '../source-edits.ts';
import { assignFirst, choosesGpu, closeOpen, removeGpuChoice, removeGpuVariable } from './command-edits.ts';

/** Commands can be read by bash, take values only where that is safe, and leave the GPU to planfleet. */
export function checkCommands(draft: PlanDraft, given: Readonly<Record<string, string>> = {}): void {
  const values = knownValues(draft, given);
  if (draft.setup !== null) {
    checkCommand(draft, values, {
      subject: 'setup',
      value: draft.setup,
      offset: sourceOffset(draft.setup, 0),
    });
  }
  for (const { task, fields } of draft.tasks) {
    const field = fields.get('command');
    if (field !== undefined && task.command !== null) {
      checkCommand(draft, values, {
        subject: task.id,
        value: joinLines(fieldValue(field)),
        offset: field.offset,
      });
    }
    const env = fields.get('env');
    if (env !== undefined && Object.hasOwn(task.env ?? {}, 'CUDA_VISIBLE_DEVICES')) {
      const edit = removeGpuVariable(draft.source, env, Object.keys(task.env ?? {}).length);
      reportGpu(draft, task.id, env.offset, allEdits(edit));
    }
  }
}

interface Command {
  readonly subject: string;
  readonly value: FieldValue;
  readonly offset: number;
}

function checkCommand(draft: PlanDraft, values: ReadonlyMap<string, string>, command: Command): void {
  const text = command.value.text;
  const scanned = scanCommand(text);
  if (scanned.problem !== null) {
    const { edit, hint } = closeOpen(command.value, scanned.problem);
    const { line, column } = draft.source.positionAt(sourceOffset(command.value, scanned.problem.offset));
    draft.found.add({
      severity: 'error',
      rule: 'unbalanced_quote',
      subject: command.subject,
      message: `The command opens ${scanned.problem.what} in line ${line}, column ${column}, and never closes it.`,
      offset: placeInLine(draft.source, command.offset, sourceOffset(command.value, scanned.problem.offset)),
      hint,
      edits: allEdits(edit),
    });
  } else {
    reportUnsafe(draft, command, scanned);
    reportNumbers(draft, command, scanned, values);
  }
  if (choosesGpu(text)) reportGpu(draft, command.subject, command.offset, removeGpuChoice(command.value));
}

function reportGpu(draft: PlanDraft, subject: string, offset: number, edits: SourceEdit[] | undefined): void {
  draft.found.add({
    severity: 'warning',
    rule: 'hardcoded_gpu',
    subject,
    message: 'The command chooses a GPU itself and may take one that is in use.',
    offset,
    hint: 'Remove CUDA_VISIBLE_DEVICES: it is set to the card that the task is given.',
    edits,
  });
}

function reportUnsafe(draft: PlanDraft, command: Command, scanned: ScannedCommand): void {
  const inner = findInnerShells(command.value.text, scanned.placeholders);
  for (const { placeholder, offset, context } of scanned.placeholders) {
    if (placeholder.raw) continue;
    if (context.kind === 'unsafe') {
      draft.found.add({
        severity: 'error',
        rule: 'unsafe_placeholder',
        subject: placeholder.name,
        message: `${placeholder.text} stands ${context.why}, where no value can be inserted safely.`,
        offset: sourceOffset(command.value, offset),
        hint: context.hint,
        edits: context.why === IN_PARAMETER ? assignFirst(command.value, placeholder, offset) : undefined,
      });
    } else if (inner.has(offset)) {
      draft.found.add({
        severity: 'warning',
        rule: 'value_in_inner_shell',
        subject: placeholder.name,
        message: `${placeholder.text} is escaped for this command, but ${inner.get(offset)} reads it again as a command.`,
        offset: sourceOffset(command.value, offset),
        hint: `Pass it as an argument: bash -c '... "$1"' _ ${placeholder.text}.`,
      });
    }
  }
}

/** The values that are known before anything runs: given ones, defaults, and paths that are no numbers. */
function knownValues(draft: PlanDraft, given: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  const values = new Map([
    ['PLAN_PATH', '/'],
    ['BATCH_PATH', '/'],
  ]);
  for (const input of draft.plan.inputs) {
    const value = Object.hasOwn(given, input.name) ? given[input.name] : input.default;
    if (value !== undefined && value !== null) values.set(input.name, value);
  }
  return values;
}

function reportNumbers(
  draft: PlanDraft,
  command: Command,
  scanned: ScannedCommand,
  values: ReadonlyMap<string, string>,
): void {
  for (const { placeholder, offset, context } of scanned.placeholders) {
    const value = values.get(placeholder.name);
    if (context.kind !== 'integer' || placeholder.raw || value === undefined || isInteger(value)) continue;
    draft.found.add({
      severity: 'error',
      rule: 'not_a_number',
      subject: placeholder.name,
      message: `${placeholder.text} stands where bash calculates, and its value is no whole number.`,
      offset: sourceOffset(command.value, offset),
      hint: 'Give it a whole number, or use it elsewhere.',
    });
  }
}
