import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { INITIAL_TASK_STATES, TASK_TRANSITIONS } from '../../../../control-plane/src/store/task-states.ts';

const document = readFileSync(new URL('../../../../control-plane/docs/states.md', import.meta.url), 'utf8');
const arrows = [...document.matchAll(/^ {2}(\S+) --> (\S+?)(?:: (.+))?$/gm)].map((match) => match.slice(1));

test('the state diagram in the docs is the transition table of the code', () => {
  const drawn = arrows
    .filter(([from, to]) => from !== '[*]' && to !== '[*]')
    .map(([from, to, by]) => ({ from, to, by }));
  expect(drawn).toEqual(TASK_TRANSITIONS);
});

test('the diagram begins and ends where tasks do', () => {
  expect(arrows.filter(([from]) => from === '[*]').map(([, to]) => to)).toEqual(INITIAL_TASK_STATES);
  const withExit = new Set(TASK_TRANSITIONS.map((transition) => transition.from as string));
  const final = [...new Set(TASK_TRANSITIONS.map((transition) => transition.to))].filter(
    (state) => !withExit.has(state),
  );
  expect(
    arrows
      .filter(([, to]) => to === '[*]')
      .map(([from]) => from)
      .sort(),
  ).toEqual(final.sort());
});
