import { readdirSync, readFileSync } from 'node:fs';
import { validatePlan } from '@planfleet/shared-types';
import { describe, expect, test } from 'vitest';
import { buildBlueprint } from '../../../../control-plane/src/plan/build-blueprint.ts';

function build(tasks: string) {
  const { plan, diagnostics } = validatePlan(`# Plan: P\n\n## Tasks\n\n${tasks}`);
  expect(diagnostics.filter((diagnostic) => diagnostic.severity === 'error')).toEqual([]);
  return buildBlueprint(plan);
}

function edgesByKey(blueprint: ReturnType<typeof build>): string[] {
  const key = (position: number) => blueprint.stages[position]?.key ?? '?';
  return blueprint.edges.map((edge) => `${key(edge.from)} ${edge.kind} ${key(edge.to)}`).sort();
}

const SCAN = '### scan\n- task_class: cpu\n- command: `scan --out {BATCH_PATH}/m.json`\n\n';

describe('lists', () => {
  test('a list is read by the task whose command writes it, once for all stages over it', () => {
    const blueprint = build(
      `${SCAN}### a\n- task_class: cpu\n- command: \`a {ITEM.id}\`\n- depends_on: scan\n- foreach: {BATCH_PATH}/m.json:items\n\n### b\n- task_class: cpu\n- command: \`b {ITEM.id}\`\n- depends_on: a_{ITEM.id}\n- foreach: {PLAN_PATH}/history/{BATCH_ID}/m.json:items\n`,
    );
    expect(blueprint.lists).toEqual([
      {
        stages: [1, 2],
        source: { kind: 'file', producer: 0, path: '{BATCH_PATH}/m.json', jsonpath: 'items' },
      },
    ]);
    expect(edgesByKey(blueprint)).toEqual(['a item b', 'scan all a', 'scan all b']);
  });

  test('a list that no task is known to write gets a task that reads it, after all its dependencies', () => {
    const blueprint = build(
      '### prepare\n- task_class: cpu\n- command: `prepare`\n\n### a\n- task_class: cpu\n- command: `a {ITEM}`\n- depends_on: prepare\n- foreach: {BATCH_PATH}/x.jsonl\n',
    );
    expect(blueprint.stages[2]).toMatchObject({ key: 'read_list_of_a', definition: { command: null } });
    expect(edgesByKey(blueprint)).toEqual([
      'prepare all a',
      'prepare all read_list_of_a',
      'read_list_of_a all a',
    ]);
  });

  test('two tasks that both mention the file leave it to a reader', () => {
    const blueprint = build(
      `${SCAN}### check\n- task_class: cpu\n- command: \`check {BATCH_PATH}/m.json\`\n- depends_on: scan\n\n### a\n- task_class: cpu\n- command: \`a {ITEM}\`\n- depends_on: check\n- foreach: {BATCH_PATH}/m.json\n`,
    );
    expect(blueprint.stages.map((stage) => stage.key)).toEqual(['scan', 'check', 'a', 'read_list_of_a']);
  });

  test('a longer file name that begins the same is another file', () => {
    const blueprint = build(
      '### scan\n- task_class: cpu\n- command: `scan {BATCH_PATH}/m.json.bak`\n\n### a\n- task_class: cpu\n- command: `a {ITEM}`\n- depends_on: scan\n- foreach: {BATCH_PATH}/m.json\n',
    );
    expect(blueprint.stages.at(-1)?.key).toBe('read_list_of_a');
  });

  test('equal inline lists are one list', () => {
    const blueprint = build(
      '### a\n- task_class: cpu\n- command: `a {ITEM}`\n- foreach: ["x", "y"]\n\n### b\n- task_class: cpu\n- command: `b {ITEM}`\n- foreach: ["x","y"]\n- depends_on: a_{ITEM}\n',
    );
    expect(blueprint.lists).toEqual([{ stages: [0, 1], source: { kind: 'inline', items: ['x', 'y'] } }]);
  });
});

test('only commands are for CPU slots; other types wait for their own kind', () => {
  const { plan } = validatePlan(
    '# Plan: P\n\n## Tasks\n\n### a\n- type: decide\n- prompt: Which?\n\n### b\n- type: generate\n- prompt: Write.\n- output: o.txt\n',
  );
  expect(buildBlueprint(plan).stages.map((stage) => stage.task_class)).toEqual(['decide', 'llm']);
});

test('every sound plan of the corpus becomes a blueprint in which each stage comes after its list', () => {
  const corpus = new URL('../../../corpus/plans/', import.meta.url);
  const folders = readdirSync(corpus, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.length).toBeGreaterThanOrEqual(14);
  for (const folder of folders) {
    const { plan, diagnostics } = validatePlan(
      readFileSync(new URL(`${folder.name}/plan.md`, corpus), 'utf8'),
    );
    if (diagnostics.some((diagnostic) => diagnostic.severity === 'error')) continue;
    const blueprint = buildBlueprint(plan);
    for (const list of blueprint.lists) {
      if (list.source.kind === 'inline') continue;
      const { producer } = list.source;
      for (const stage of list.stages)
        expect(blueprint.edges).toContainEqual({ from: producer, to: stage, kind: 'all' });
    }
  }
});
