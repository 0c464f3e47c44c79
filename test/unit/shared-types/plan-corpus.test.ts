import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type ParsedPlan, type PlanTask, validatePlan } from '../../../shared-types/src/index.ts';

const corpus = fileURLToPath(new URL('../../corpus/plans/', import.meta.url));
const names = readdirSync(corpus).filter((name) => /^\d\d-/.test(name));

const alwaysListed = new Set([
  'id',
  'type',
  'executor',
  'task_class',
  'task_class_inferred',
  'depends_on',
  'item_depends_on',
  'foreach',
]);
const ownNames = new Set(['group_size', 'position', 'fields', 'placeholders']);

/** A task as the corpus writes it: what is not given is left out. */
function describeTask(task: PlanTask): Record<string, unknown> {
  const given = Object.entries(task).filter(([key, value]) => {
    return !ownNames.has(key) && (alwaysListed.has(key) || value !== null);
  });
  return { ...Object.fromEntries(given), batch_size: task.group_size };
}

function describePlan(plan: ParsedPlan): Record<string, unknown> {
  return {
    name: plan.name,
    inputs: plan.inputs.map(({ name, default: value, required, kind }) => ({
      name,
      default: value,
      required,
      kind,
    })),
    ...(plan.setup === null ? {} : { setup: plan.setup }),
    tasks: plan.tasks.map(describeTask),
  };
}

describe('the plan corpus', () => {
  test('has plans', () => {
    expect(names.length).toBeGreaterThanOrEqual(14);
  });

  test.each(names)('%s', (name) => {
    const markdown = readFileSync(`${corpus}${name}/plan.md`, 'utf8');
    const expected: Record<string, unknown> = JSON.parse(
      readFileSync(`${corpus}${name}/expected.json`, 'utf8'),
    );
    const { plan, diagnostics } = validatePlan(markdown);
    const { diagnostics: expectedDiagnostics, ...expectedPlan } = expected;
    expect(describePlan(plan)).toEqual(expectedPlan);
    const described = diagnostics
      .filter(({ rule }) => rule !== 'not_supported_yet')
      .map(({ severity, line, rule, subject, suggest, other_line }) => ({
        severity,
        line,
        about: `${rule}: ${subject}`,
        ...(suggest === undefined ? {} : { suggest }),
        ...(other_line === undefined ? {} : { other_line }),
      }));
    expect(described).toEqual(expectedDiagnostics);
  });
});
