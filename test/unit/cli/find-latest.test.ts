import { afterEach, describe, expect, it } from 'vitest';
import { ApiClient } from '../../../agent/src/client/api-client.ts';
import { findLatest } from '../../../agent/src/client/find-latest.ts';
import { type FakeControlPlane, startFakeControlPlane } from './fake-control-plane.ts';
import { BATCH, page, sampleBatch } from './sample-answers.ts';

let fake: FakeControlPlane;
afterEach(() => fake.close());

async function find(text: string, batches: unknown[]): Promise<string> {
  fake = await startFakeControlPlane({ 'GET /v1/batches': () => page(batches) });
  return findLatest(new ApiClient({ url: fake.url, token: null }), text);
}

describe('latest', () => {
  it.each([
    ['latest', BATCH],
    ['latest:extract', `${BATCH}:extract`],
    ['latest:latest:7', `${BATCH}:latest:7`],
  ])('%s is %s', async (text, id) => {
    expect(await find(text, [sampleBatch('active')])).toBe(id);
  });

  it('is told when there is no batch yet, with what to do', async () => {
    await expect(find('latest', [])).rejects.toMatchObject({
      exit_code: 2,
      message: 'there is no latest batch: none was submitted yet',
      hint: 'Submit one: planfleet submit DIR --watch',
    });
  });
});
