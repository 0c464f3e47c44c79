import type { PlanHeading } from '../read-headings.ts';
import type { PlanDraft } from '../read-plan.ts';
import { allEdits, replaceText, type SourceEdit } from '../source-edits.ts';

/** The title and the tasks must be there. */
export function checkSections(draft: PlanDraft): void {
  const { found } = draft;
  if (found.has('plan_too_large')) return;
  reportDepths(draft);
  for (const { name, title, offset, depth } of draft.near_sections) {
    found.add({
      severity: 'warning',
      rule: 'near_section',
      subject: title,
      message:
        depth === 2
          ? `"${title}" is read as the section ${name}.`
          : `The heading of the section ${name} has one number sign, and needs two.`,
      offset,
      suggest: name,
      hint: `Write "## ${name}".`,
      edits:
        depth === 2
          ? allEdits(replaceText(draft.source, draft.source.text.indexOf(title, offset), title, name))
          : allEdits(replaceText(draft.source, offset, '#', '##')),
    });
  }
  if (draft.title_offset === null) reportTitle(draft);
  if (draft.tasks_offset === null) reportTasks(draft);
  else if (draft.tasks.length === 0) {
    found.add({
      severity: 'error',
      rule: 'no_tasks',
      subject: 'Tasks',
      message: 'The section Tasks holds no task.',
      offset: draft.tasks_offset,
      hint: 'Write a heading "### task_id" with a field list beneath it.',
      edits: draft.prose.length > 0 ? undefined : allEdits(insertTask(draft)),
    });
  }
}

function reportDepths(draft: PlanDraft): void {
  for (const { title, offset } of draft.deeper) {
    draft.found.add({
      severity: 'error',
      rule: 'heading_depth',
      subject: title,
      message: `"${title}" has the fields of a task, but its heading ends the section Tasks.`,
      offset,
      hint: `Write ### ${title}; if it is no task, take its fields out.`,
      edits: allEdits(replaceText(draft.source, offset, '##', '###')),
    });
  }
}

function reportTitle(draft: PlanDraft): void {
  const { other_title, source } = draft;
  const text = other_title?.text ?? '';
  const name = text.replace(/^plan\b[\s:：–—-]*/i, '') || 'What it does';
  draft.found.add({
    severity: 'error',
    rule: 'missing_section',
    subject: 'Plan',
    message: 'The plan has no heading "# Plan: <Name>".',
    offset: other_title?.offset ?? 0,
    hint: `Write "# Plan: ${name}" as its first line.`,
    edits:
      other_title === null
        ? [{ start: 0, end: 0, replacement: `# Plan: ${name}${source.line_end}${source.line_end}` }]
        : allEdits(
            text === ''
              ? { start: other_title.end, end: other_title.end, replacement: ` Plan: ${name}` }
              : replaceText(source, source.text.indexOf(text, other_title.offset), text, `Plan: ${name}`),
          ),
  });
}

const skeleton = (eol: string) =>
  `### first_task${eol}- **task_class**: cpu${eol}- **command**: \`echo "what this task does"\`${eol}`;

function reportTasks(draft: PlanDraft): void {
  draft.found.add({
    severity: 'error',
    rule: 'missing_section',
    subject: 'Tasks',
    message: 'The plan has no section "## Tasks".',
    offset: 0,
    hint: 'Put the tasks under "## Tasks", each with a heading "### task_id".',
    edits: insertTasks(draft),
  });
}

/** The heading where the tasks are: a wrong depth made right, or a new one before them; else at the end, with a task. */
function insertTasks(draft: PlanDraft): SourceEdit[] {
  const { source, headings } = draft;
  const eol = source.line_end;
  const wrong = headings.find(({ depth, text }) => depth !== 2 && /^tasks\s*:?$/i.test(text));
  const marks = wrong === undefined ? null : source.text.slice(wrong.offset, wrong.end).match(/^#+/)?.[0];
  if (wrong !== undefined && marks)
    return [{ start: wrong.offset, end: wrong.offset + marks.length, replacement: '##' }];
  const first = headings.find((heading) => heading.holdsTask());
  if (first !== undefined)
    return [{ start: first.offset, end: first.offset, replacement: `## Tasks${eol}${eol}` }];
  const notes = headings.find(({ depth, text }) => depth === 2 && /^notes\s*:?$/i.test(text));
  const text = `## Tasks${eol}${eol}${skeleton(eol)}`;
  if (notes !== undefined) return [{ start: notes.offset, end: notes.offset, replacement: text + eol }];
  const { length } = source.text;
  // Below an empty line, but without one at the head of an empty plan.
  const before = length === 0 ? '' : /[\r\n]$/.test(source.text) ? eol : eol + eol;
  return [{ start: length, end: length, replacement: before + text }];
}

/** Right beneath the heading Tasks; null where the tasks are there at another depth, which is not ours to move. */
function insertTask(draft: PlanDraft): SourceEdit | null {
  const { source, headings, tasks_offset } = draft;
  const heading: PlanHeading | undefined = headings.find(({ offset }) => offset === tasks_offset);
  if (heading === undefined) return null;
  const eol = source.line_end;
  return {
    start: heading.end,
    end: heading.end,
    replacement: eol + eol + skeleton(eol).replace(/[\r\n]+$/, ''),
  };
}
