import { expect, it } from 'vitest';
import { formatReason } from '../../../agent/src/client/format-attempt.ts';
import { sampleAttempt } from './sample-answers.ts';

it.each([
  [{ exit_code: 3, message: 'no total found' }, 'exit code 3: no total found'],
  [{ exit_code: 3, message: 'The command ended with exit code 3' }, 'The command ended with exit code 3'],
  [
    { exit_code: null, signal: 'SIGKILL', message: 'Aborted on request' },
    'ended by SIGKILL: Aborted on request',
  ],
  // The command took SIGTERM for a good end, which is not why the attempt failed.
  [{ exit_code: 0, message: 'Aborted on request' }, 'worker: Aborted on request'],
])('%j is told as: %s', (change, told) => {
  expect(formatReason({ ...sampleAttempt(1, ''), ...change })).toBe(told);
});
