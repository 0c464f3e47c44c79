import { fieldValue } from '../field-reader.ts';
import { joinLines, sourceOffset } from '../field-value.ts';
import { findNearestName } from '../find-nearest-name.ts';
import type { PlanDraft } from '../read-plan.ts';
import { allEdits, replaceText } from '../source-edits.ts';

const scriptPath =
  /\{PLAN_PATH\}\/((?:[\w.@+-]+\/)*[\w.@+-]+\.(?:py|sh|bash|js|mjs|cjs|ts|rb|pl|R|jl|lua))(?![\w/{*?[-])/g;

/** Every script that a command names is in the plan folder. */
export function checkScripts(draft: PlanDraft, files: readonly string[] | undefined): void {
  if (files === undefined) return;
  const known = new Set(files.map((file) => file.replace(/^\.\//, '').replaceAll('\\', '/')));
  for (const { task, fields } of draft.tasks) {
    const field = fields.get('command');
    if (field === undefined || task.command === null) continue;
    const value = joinLines(fieldValue(field));
    for (const match of value.text.matchAll(scriptPath)) {
      const path = match[1] ?? '';
      if (known.has(path) || madeByPlan.test(path)) continue;
      const suggest = findNearestName(path, known);
      const start = sourceOffset(value, match.index + '{PLAN_PATH}/'.length);
      draft.found.add({
        severity: 'error',
        rule: 'missing_script',
        subject: path,
        message: `"${task.id}" runs ${path}, and the plan folder holds no such file.`,
        offset: start,
        suggest,
        ...(suggest === undefined
          ? { hint: 'Add the file, or correct its path.' }
          : {
              hint: `Did you mean ${suggest}?`,
              edits: allEdits(replaceText(draft.source, start, path, suggest)),
            }),
      });
    }
  }
}

// Made by Setup or by tasks, so never part of the folder as it is submitted.
const madeByPlan = /^(?:\.?venv|env|node_modules|history|build|dist)\//;
