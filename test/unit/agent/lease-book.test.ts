import { expect, test } from 'vitest';
import { LeaseBook } from '../../../agent/src/agent/lease-book.ts';
import { makeStage } from './agent-bench.ts';

const spec = makeStage();

function answer(...leases: number[]) {
  const tasks = leases.map((lease) => ({ stage: spec.stage, ordinal: lease, lease, attempt: 1 }));
  return { leases: tasks, stages: [spec], stops: [] };
}

test('an answer that was written before a task ended does not bring it again', () => {
  const book = new LeaseBook();
  const poll = book.openRequest();
  const results = book.openRequest();
  expect(book.admit(answer(1))).toHaveLength(1);
  expect(book.have()).toEqual([1]);
  book.release({ stage: spec.stage, ordinal: 1, lease: 1 });
  book.closeRequest(results);
  // The poll was sent while the lease lived.
  expect(book.admit(answer(1))).toEqual([]);
  expect(book.have()).toEqual([]);
  book.closeRequest(poll);
});

test('what is over is forgotten once no request of its time is under way', () => {
  const book = new LeaseBook();
  const poll = book.openRequest();
  book.admit(answer(1));
  book.release({ stage: spec.stage, ordinal: 1, lease: 1 });
  const later = book.openRequest();
  book.closeRequest(poll);
  expect(book.admit(answer(1))).toHaveLength(1);
  book.closeRequest(later);
});

test('the same task under a new lease is a new one', () => {
  const book = new LeaseBook();
  book.admit(answer(1));
  const again = { ...answer(1), leases: [{ stage: spec.stage, ordinal: 1, lease: 2, attempt: 2 }] };
  expect(book.admit(again)).toHaveLength(1);
});

test('a lease without its definition is left for the next claim', () => {
  const book = new LeaseBook();
  expect(book.admit({ ...answer(1), stages: [] })).toEqual([]);
  expect(book.have()).toEqual([]);
});
