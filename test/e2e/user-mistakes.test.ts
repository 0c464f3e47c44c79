import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Fleet } from '../support/fleet.ts';

const fleet = new Fleet();
let batch: string;
beforeAll(async () => {
  await fleet.startServer({ tick_ms: 500 });
  await fleet.adminToken();
  await fleet.startAgent('rig');
  batch = await fleet.submit(
    plan('### each\n- **task_class**: cpu\n- **foreach**: ["a", "b", "c"]\n- **command**: `echo {ITEM}`\n'),
  );
  await fleet.untilEnded(batch);
});
afterAll(() => fleet.close());

function plan(tasks: string): string {
  return `# Plan: Mistakes\n\n## Tasks\n\n${tasks}`;
}

describe('a stage of many tasks', () => {
  test.each(['task', 'logs', 'explain', 'retry', 'abort', 'kill'])('is no task for %s', async (command) => {
    const result = await fleet.cli([command, `${batch}:each`]);
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain('is a stage of 3 tasks, and names none of them');
    expect(result.stderr).toContain(`Write ${batch}:each:0 to ${batch}:each:2`);
  });

  test('has its tasks by their ordinals', async () => {
    expect((await fleet.cli(['logs', `${batch}:each:2`])).stdout).toBe('c\n');
  });
});

test('a misspelt stage is told apart from one without such tasks', async () => {
  const wrong = await fleet.cli(['tasks', batch, '--stage', 'eahc']);
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain('Did you mean each?');
  const none = await fleet.cli(['tasks', batch, '--stage', 'each', '--state', 'abandoned']);
  expect(none).toEqual({ code: 0, stdout: '', stderr: 'No such tasks.\n' });
});

test('what is kept is said in words: a retry of a success, a kill of one', async () => {
  expect((await fleet.cli(['retry', `${batch}:each:0`])).stderr).toContain('has succeeded: only one that');
  expect((await fleet.cli(['kill', `${batch}:each:0`])).stderr).toContain('not running: it has succeeded');
});

test('latest is what somebody submitted, not a child batch, and a child names its parent', async () => {
  await fleet.cli(['plan', 'init', 'kid']);
  expect((await fleet.cli(['plan', 'register', 'kid'])).code).toBe(0);
  const parent = await fleet.submit(plan('### child\n- **type**: execute_plan\n- **plan**: kid\n'));
  expect((await fleet.untilEnded(parent)).state).toBe('succeeded');
  expect((await fleet.cli(['status', 'latest'])).stdout).toContain(parent);
  const { child_batch } = await fleet.task(`${parent}:child:0`);
  const child = await fleet.cli(['status', String(child_batch)]);
  expect(child.stdout).toContain(`child of ${parent}:child:0`);
  expect((await fleet.cli(['status'])).stdout).toContain(`child of ${parent}:child:0`);
});

test('agent --print does not start an agent', async () => {
  const result = await fleet.cli(['agent', '--print']);
  expect(result).toMatchObject({ code: 2, stdout: '' });
  expect(result.stderr).toContain('--print goes with --install');
});

test('an address that is none names the page that lists them', async () => {
  const response = await fleet.request('/dashboard');
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ hint: expect.stringContaining('/docs') });
});
