import { expect, test } from 'vitest';
import * as z from 'zod';
import { BACK_OFF_CAP_MS, backOffMs } from '../../../agent/src/http/back-off.ts';
import { classifyAnswer } from '../../../agent/src/http/classify-answer.ts';

const schema = z.object({ value: z.int() });

function classify(status: number, text: string, retry_after: string | null = null) {
  return classifyAnswer({ status, text, retry_after }, schema);
}

function problem(code: string, hint?: string): string {
  return JSON.stringify({ type: 'about:blank', title: 'T', status: 400, detail: 'D', code, hint });
}

test('an answer that fits is one', () => {
  expect(classify(200, '{"value":1,"more":2}')).toEqual({ kind: 'ok', body: { value: 1 } });
});

test.each([
  [200, '<html>'],
  [200, ''],
  [200, '{"value":"1"}'],
  [204, ''],
  [301, ''],
  [404, 'a proxy without a backend'],
  [403, '<html>are you human?</html>'],
  [408, problem('x')],
  [429, problem('busy')],
  [500, ''],
  [503, problem('busy')],
])('%i %j is tried again', (status, text) => {
  expect(classify(status, text)).toMatchObject({ kind: 'retry', status });
});

test('no answer at all is tried again, with the reason that fetch hides', () => {
  const error = new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') });
  expect(classifyAnswer({ error }, schema)).toEqual({
    kind: 'retry',
    status: null,
    message: 'fetch failed: connect ECONNREFUSED',
    retry_after_ms: null,
  });
});

test.each([400, 401, 403, 404, 409, 413, 422])('%i from the control plane is final', (status) => {
  expect(classify(status, problem('some_code', 'Do that'))).toEqual({
    kind: 'final',
    status,
    code: 'some_code',
    message: 'D (Do that)',
  });
});

test('a session that somebody took over, and a protocol that is too old, are told apart', () => {
  expect(classify(409, problem('session_superseded')).kind).toBe('superseded');
  expect(classify(409, problem('conflict')).kind).toBe('final');
  expect(classify(426, problem('agent_too_old')).kind).toBe('too_old');
});

test('back-off grows, is spread over its whole range, ends at its cap, and minds Retry-After', () => {
  expect([0, 1, 2, 3].map((tries) => backOffMs(tries, 0.999_999))).toEqual([500, 1_000, 2_000, 4_000]);
  expect(backOffMs(3, 0)).toBe(0);
  expect(backOffMs(1_000, 0.999_999)).toBe(BACK_OFF_CAP_MS);
  expect(backOffMs(0, 0, 2_000)).toBe(2_000);
  expect(classify(503, '', '2')).toMatchObject({ retry_after_ms: 2_000 });
  expect(classify(503, '', 'Wed, 21 Oct 2026 07:28:00 GMT')).toMatchObject({ retry_after_ms: null });
});
