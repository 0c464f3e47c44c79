import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Terminal } from '../../agent/src/client/terminal.ts';
import { buildProgram } from '../../agent/src/commands/build-program.ts';
import { Fleet, until } from '../support/fleet.ts';

/** One real invocation: what is typed, the exit code, and a fragment of what is printed. */
interface Invocation {
  readonly args: readonly string[];
  readonly code?: number;
  readonly says: string | RegExp;
  /** What its JSON holds, anywhere in it, where that is not `says` too. */
  readonly json?: string | RegExp;
  /** It runs until it is stopped; this line of its log says that it works. */
  readonly until?: string;
}

const fleet = new Fleet();
let ended: string;
beforeAll(async () => {
  await fleet.startServer({ tick_ms: 500 });
  await fleet.adminToken();
  await fleet.startAgent('rig', { slots: 4 });
  mkdirSync(fleet.path('greet'));
  writeFileSync(fleet.path('greet', 'plan.md'), plan('echo hello | tee {OUTPUT}'));
  ended = await fleet.submit(plan('echo hello | tee {OUTPUT}'));
  await fleet.untilEnded(ended);
});
afterAll(() => fleet.close());
// What still runs would take the slots of the commands that come after.
afterEach(async () => {
  for (const id of running.splice(0)) await fleet.request(`/v1/batches/${id}/cancel`, { method: 'POST' });
});

function plan(command: string): string {
  return `# Plan: Greet\n\n## Inputs\n- **OUTPUT**: greeting (output file, default: hello.txt)\n\n## Tasks\n\n### step\n- **task_class**: cpu\n- **max_attempts**: 1\n- **command**: \`${command}\`\n`;
}

async function failedBatch(): Promise<string> {
  const id = await fleet.submit(plan('echo broken; exit 3'));
  expect((await fleet.untilEnded(id)).state).toBe('failed');
  return id;
}

const running: string[] = [];
/** A batch whose only task runs until it is ended from outside. */
async function runningBatch(): Promise<string> {
  const id = await fleet.submit(plan('exec sleep 600'));
  await until('the task to run', async () => (await fleet.batch(id)).leased === 1);
  running.push(id);
  return id;
}

async function register(): Promise<void> {
  await fleet.cli(['plan', 'register', 'greet']);
}

const server = () => ['--port', '0', '--data', fleet.path('another')];
let count = 0;

/** Every command of the program, by what is typed after `planfleet`. */
const COMMANDS: Readonly<Record<string, () => Invocation | Promise<Invocation>>> = {
  up: () => ({ args: ['up', ...server(), '--name', 'own'], until: 'listening', says: '' }),
  serve: () => ({ args: ['serve', ...server()], until: 'listening', says: '' }),
  migrate: () => ({
    args: ['migrate', '--data', fleet.path('migrated')],
    says: /database/,
    json: '"version"',
  }),
  agent: () => ({
    args: ['agent', '--name', 'other', '--data', fleet.path('agent-other')],
    until: 'registered',
    says: '',
  }),
  doctor: () => ({ args: ['doctor'], says: 'control plane' }),
  submit: () => ({ args: ['submit', 'greet', '--watch'], says: 'succeeded' }),
  run: () => ({ args: ['run', '--', 'echo', 'hi there'], says: 'hi there' }),
  validate: () => ({ args: ['validate', 'greet'], says: /valid/ }),
  'plan register': () => ({ args: ['plan', 'register', 'greet'], says: 'greet' }),
  'plan list': async () => {
    await register();
    return { args: ['plan', 'list'], says: 'greet' };
  },
  'plan show': async () => {
    await register();
    return { args: ['plan', 'show', 'greet'], says: 'step' };
  },
  'plan init': () => {
    const name = `mine${++count}`;
    return { args: ['plan', 'init', name], says: name };
  },
  status: () => ({ args: ['status', ended], says: 'step' }),
  watch: () => ({ args: ['watch', ended], says: 'succeeded' }),
  files: () => ({ args: ['files', ended], says: 'output/hello.txt' }),
  tasks: () => ({ args: ['tasks', ended, '--stage', 'step'], says: `${ended}:step:0` }),
  task: () => ({ args: ['task', `${ended}:step`], says: 'hello' }),
  logs: () => ({ args: ['logs', `${ended}:step`], says: 'hello' }),
  delete: async () => {
    const id = await failedBatch();
    return { args: ['delete', id, '--yes'], says: id };
  },
  explain: () => ({ args: ['explain', `${ended}:step`], says: 'succeeded with attempt 1 on rig' }),
  cancel: async () => {
    const id = await runningBatch();
    return { args: ['cancel', id], says: 'cancel' };
  },
  retry: async () => ({ args: ['retry', await failedBatch()], says: '1 task', json: 'active' }),
  pause: async () => ({ args: ['pause', await runningBatch()], says: 'paused' }),
  resume: async () => {
    const id = await runningBatch();
    await fleet.cli(['pause', id]);
    return { args: ['resume', id], says: 'active' };
  },
  abort: async () => ({ args: ['abort', `${await runningBatch()}:step`], says: 'abort' }),
  kill: async () => ({ args: ['kill', `${await runningBatch()}:step`], says: 'kill' }),
  agents: () => ({ args: ['agents', 'rig'], says: 'connected' }),
  'agents drain': () => ({ args: ['agents', 'drain', 'rig'], says: 'draining' }),
  'agents resume': () => ({ args: ['agents', 'resume', 'rig'], says: 'connected' }),
  decisions: () => ({ args: ['decisions', ended], says: 'BATCH_COMPLETE' }),
  'tokens create': () => ({ args: ['tokens', 'create', '--scope', 'read'], says: /ey\w+\.\w+\./ }),
  'tokens list': async () => {
    await fleet.cli(['tokens', 'create', '--scope', 'read', '--subject', 'ada']);
    return { args: ['tokens', 'list'], says: 'ada' };
  },
  'tokens revoke': async () => {
    const { stdout } = await fleet.cli(['tokens', 'create', '--scope', 'read', '--json']);
    const { jti } = JSON.parse(stdout) as { jti: string };
    return { args: ['tokens', 'revoke', jti], says: jti };
  },
  completion: () => ({ args: ['completion', 'bash'], says: 'plan' }),
};

const NOWHERE = { out: () => {}, err: () => {} } as unknown as Terminal;

/** Commands that do something themselves: those without others beneath them, and `agents`, which takes a name too. */
function listCommands(): Map<string, Command> {
  const found = new Map<string, Command>();
  const visit = (command: Command, path: readonly string[]) => {
    const own = command.commands.length === 0 || command.registeredArguments.length > 0;
    if (own && path.length > 0) found.set(path.join(' '), command);
    for (const each of command.commands) visit(each, [...path, each.name()]);
  };
  visit(
    buildProgram(NOWHERE, () => {}),
    [],
  );
  return found;
}

const declared = listCommands();

async function invoke({ args, until: event }: Invocation, json: boolean) {
  if (event === undefined) {
    const [dashes, typed] = [args.indexOf('--'), [...args]];
    if (json) typed.splice(dashes === -1 ? typed.length : dashes, 0, '--json');
    return fleet.cli(typed);
  }
  rmSync(fleet.path('another'), { recursive: true, force: true });
  const token = await fleet.adminToken();
  const env = { ...fleet.env, PLANFLEET_URL: fleet.url, PLANFLEET_TOKEN: token };
  const process = fleet.start([...args, ...(json ? ['--json'] : [])], env);
  await until(`${args[0]} to work`, () => {
    if (!process.isAlive()) throw new Error(`${args.join(' ')} ended:\n${process.lines.join('\n')}`);
    return json
      ? process.event(event)
      : process.lines.some((line) => /\bup\b|listens|Registered/i.test(line));
  });
  await process.terminate();
  return { code: process.child.exitCode ?? -1, stdout: process.lines.join('\n'), stderr: '' };
}

describe('every command', () => {
  test('has an invocation in this file, and none is listed that is no more', () => {
    expect(Object.keys(COMMANDS).sort()).toEqual([...declared.keys()].sort());
  });

  test.each([...declared.keys()])('%s does what it is for', async (name) => {
    const invocation = await COMMANDS[name]?.();
    if (invocation === undefined) throw new Error(`planfleet ${name} is not in the table`);
    const { code, stdout, stderr } = await invoke(invocation, false);
    expect({ code, stderr }).toEqual({ code: invocation.code ?? 0, stderr: expect.any(String) });
    expect(stdout).toMatch(invocation.says);
  });

  const withJson = [...declared].filter(([, command]) =>
    [...command.options, ...(command.parent?.options ?? [])].some(({ long }) => long === '--json'),
  );
  test.each(withJson.map(([name]) => name))('%s --json prints JSON and nothing else', async (name) => {
    const invocation = await COMMANDS[name]?.();
    if (invocation === undefined) throw new Error(`planfleet ${name} is not in the table`);
    const { code, stdout, stderr } = await invoke(invocation, true);
    expect({ code, stderr }).toEqual({ code: invocation.code ?? 0, stderr: '' });
    const lines = stdout.trim().split('\n');
    for (const line of lines) expect(JSON.parse(line)).toBeTypeOf('object');
    expect(stdout).toMatch(invocation.json ?? invocation.says);
  });

  test('all but completion take --json', () => {
    const without = [...declared.keys()].filter((name) => !withJson.some(([each]) => each === name));
    expect(without).toEqual(['completion']);
  });

  test.each([...declared])('%s refuses an option that it does not have, with 2', async (name, command) => {
    const needed = command.options.flatMap(({ mandatory, long }) => (mandatory && long ? [long, 'x'] : []));
    const text = await fleet.cli([...name.split(' '), ...needed, '--no-such-option']);
    expect(text).toMatchObject({ code: 2, stdout: '' });
    expect(text.stderr).toContain("unknown option '--no-such-option'");
    expect(text.stderr).toContain(`usage: planfleet ${name}`);
    const help = await fleet.cli([...name.split(' '), '--help']);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toContain(`Usage: planfleet ${name}`);
  });
});
