import { unsupportedFields, unsupportedTypes } from '../not-supported-yet.ts';
import type { PlanDraft } from '../read-plan.ts';

/** Says what this version reads but does not act on. */
export function checkSupport(draft: PlanDraft): void {
  for (const { task, fields, offset } of draft.tasks) {
    if (unsupportedTypes.includes(task.type)) {
      draft.found.add({
        severity: 'warning',
        rule: 'not_supported_yet',
        subject: `type ${task.type}`,
        message: `Tasks of type ${task.type} are read but not run by this version.`,
        offset: fields.get('type')?.offset ?? offset,
        hint: 'Write a task of type shell that runs a script instead, or wait for a version that runs it.',
      });
    }
    for (const { field, effect } of unsupportedFields) {
      const written = fields.get(field);
      if (written === undefined) continue;
      draft.found.add({
        severity: 'warning',
        rule: 'not_supported_yet',
        subject: field,
        message: `${field} is read but not acted on by this version. ${effect}`,
        offset: written.offset,
        hint: `The plan stays right: nothing has to change for a version that acts on ${field}.`,
      });
    }
  }
}
