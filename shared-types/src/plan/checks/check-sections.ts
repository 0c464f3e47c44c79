import type { PlanDraft } from '../read-plan.ts';

/** The title and the tasks must be there. */
export function checkSections(draft: PlanDraft): void {
  const { found } = draft;
  if (found.has('plan_too_large')) return;
  if (draft.title_offset === null) {
    const { other_title } = draft;
    found.add({
      severity: 'error',
      rule: 'missing_section',
      subject: 'Plan',
      message: 'The plan has no heading "# Plan: <Name>".',
      offset: other_title?.offset ?? 0,
      hint: `Write "# Plan: ${other_title?.text || 'What it does'}" as its first line.`,
    });
  }
  if (draft.tasks_offset === null) {
    found.add({
      severity: 'error',
      rule: 'missing_section',
      subject: 'Tasks',
      message: 'The plan has no section "## Tasks".',
      offset: 0,
      hint: 'Put the tasks under "## Tasks", each with a heading "### task_id".',
    });
  } else if (draft.tasks.length === 0) {
    found.add({
      severity: 'error',
      rule: 'no_tasks',
      subject: 'Tasks',
      message: 'The section Tasks holds no task.',
      offset: draft.tasks_offset,
      hint: 'Write a heading "### task_id" with a field list beneath it.',
    });
  }
}
