import { type InputBinding, parsePlan } from '@planfleet/shared-types';
import { describe, expect, test } from 'vitest';
import { bindChildInputs, type ParentContext } from '../../../../control-plane/src/plan/bind-child-inputs.ts';

const SHA = 'a'.repeat(64);
const here = { plan_name: 'P', plan_digest: SHA, bundle: SHA, plan_folder: 'top' };
const inputs: Record<string, InputBinding> = {
  WORD: { kind: 'value', value: '{BATCH_PATH} $x' },
  DATA: { kind: 'folder', sha256: SHA },
  ONE: { kind: 'file', sha256: SHA, file_name: 'one.csv' },
  REPORT: { kind: 'output_file', path: 'report.csv' },
  ABOVE: { kind: 'parent_path', parts: [{ ...here, plan_folder: '', batch_id: 'B0' }, '/x'] },
};
const parent: ParentContext = {
  ...here,
  batch_id: 'B1',
  inputs,
  item: { id: 7, tags: ['a'] },
  item_index: 3,
};

function bind(config: Record<string, unknown>, declared = '- **IN**: x (optional)', context = parent) {
  const names = [...declared.matchAll(/\*\*(\w+)\*\*/g)].map((match) => `{${match[1]}}`).join(' ');
  const plan = parsePlan(
    `# Plan: C\n\n## Inputs\n${declared}\n\n## Tasks\n### a\n- command: \`echo ${names}\`\n`,
  );
  return bindChildInputs(plan.inputs, config, context);
}
const value = (text: string) => ({
  ok: true,
  inputs: { IN: { kind: 'value', value: text } },
  shares_files: false,
});

describe('a value of a config', () => {
  test('is text with what its placeholders stand for, once', () => {
    expect(bind({ IN: 'a {WORD} b' })).toEqual(value('a {BATCH_PATH} $x b'));
    expect(bind({ IN: '{ITEM.id}-{ITEM_INDEX} of {BATCH_ID} {brace} {ITEM.tags}' })).toEqual(
      value('7-3 of B1 {brace} ["a"]'),
    );
    expect(bind({ IN: 5 })).toEqual(value('5'));
    expect(bind({ IN: { n: 1, t: ['{ITEM.id}"', null] } })).toEqual(value('{"n":1,"t":["7\\"",null]}'));
    expect(bind({ IN: null })).toEqual(value(''));
    expect(bind({}, '- **IN**: x (default: y)')).toEqual(value('y'));
  });

  test('hands on what travels', () => {
    expect(bind({ IN: '{DATA}' }, '- **IN**: x (folder)')).toMatchObject({
      inputs: { IN: inputs['DATA'] },
      shares_files: false,
    });
    expect(bind({ IN: '{ONE}' })).toMatchObject({ inputs: { IN: inputs['ONE'] } });
    expect(bind({ IN: '{DATA}/sub' })).toEqual({
      ok: false,
      problems: [expect.stringMatching(/IN: \{DATA\} is sent along and can only be handed on whole/)],
    });
  });

  test('refers to paths of its parent, and of those above it', () => {
    const batch = { ...here, batch_id: 'B1' };
    expect(bind({ IN: '{BATCH_PATH}/results' })).toEqual({
      ok: true,
      inputs: { IN: { kind: 'parent_path', parts: [batch, '/results'] } },
      shares_files: true,
    });
    expect(bind({ IN: '--at={PLAN_PATH}:{ABOVE}' })).toMatchObject({
      inputs: { IN: { parts: ['--at=', { ...here, batch_id: null }, ':', { batch_id: 'B0' }, '/x'] } },
    });
    expect(bind({ IN: '{REPORT}' })).toMatchObject({
      inputs: { IN: { parts: [batch, '/output/report.csv'] } },
    });
    expect(bind({ IN: ['{BATCH_PATH}'] })).toMatchObject({ ok: false });
  });

  test('of an output is a place below the child, or that of its parent', () => {
    const out = '- **IN**: x (output file)';
    expect(bind({ IN: 'a/b.csv' }, out)).toMatchObject({
      inputs: { IN: { kind: 'output_file', path: 'b.csv' } },
    });
    expect(bind({ IN: '{REPORT}' }, out)).toMatchObject({
      inputs: { IN: inputs['REPORT'] },
      shares_files: false,
    });
    expect(bind({ IN: '{BATCH_PATH}/b.csv' }, out)).toMatchObject({
      inputs: { IN: { kind: 'parent_path' } },
    });
    expect(bind({ IN: 'x/a', TO: 'y/a' }, `${out}\n- **TO**: y (output file)`)).toEqual({
      ok: false,
      problems: ['The inputs IN and TO would both be written to output/a.'],
    });
  });
});

test('everything that does not fit is told at once', () => {
  const result = bind(
    { IN: '{ITEM.none}', X: 1 },
    '- **IN**: x\n- **MUST**: y\n- **AT**: z (folder, default: here)',
  );
  expect(result).toEqual({
    ok: false,
    problems: [
      'The plan has no input X.',
      expect.stringMatching(/IN: \{ITEM\} has no field "none"/),
      'The input MUST is given no value.',
      expect.stringMatching(/AT: "here" is a relative path/),
    ],
  });
});
