import type { PlanDraft } from '../read-plan.ts';

/** A heading under Tasks is a task, or prose that nothing waits for. */
export function checkHeadings(draft: PlanDraft): void {
  const awaited = new Set(draft.tasks.flatMap(({ dependencies }) => dependencies.all.map(({ id }) => id)));
  const ids = new Set(draft.tasks.map(({ task }) => task.id));
  for (const { id, title, offset, fence } of draft.prose) {
    const isAwaited = awaited.has(id) && !ids.has(id);
    draft.found.add({
      severity: isAwaited ? 'error' : 'warning',
      rule: 'heading_without_fields',
      subject: title,
      message: `"${title}" has no fields and is read as prose, not as a task${isAwaited ? ', but other tasks depend on it' : ''}.`,
      offset,
      hint:
        fence === null
          ? 'Give it at least a command, or move it out of Tasks.'
          : 'Write "- **command**:" above the code.',
      edits:
        fence === null
          ? undefined
          : [{ start: fence, end: fence, replacement: `- **command**:${draft.source.line_end}` }],
    });
  }
}
