import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { BatchView, FileView, Page, Submitted } from '@planfleet/shared-types';
import Libsql from 'libsql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Fleet, until } from '../support/fleet.ts';

const fleet = new Fleet();
beforeAll(async () => {
  await fleet.startServer({ tick_ms: 200 });
  await fleet.adminToken();
  await fleet.startAgent('one');
});
afterAll(() => fleet.close());

/** Copies what it is given to a file that comes back. */
const GREETING = [
  '# Plan: Greeting',
  '',
  '## Goal',
  '',
  'Greet somebody.',
  '',
  '## Inputs',
  '',
  '- **WHO**: who is greeted',
  '- **WORDS**: what is said (file)',
  '- **RESULT**: the greeting (output file) (default: greeting.txt)',
  '',
  '## Tasks',
  '',
  '### greet',
  '- **task_class**: cpu',
  '- **command**: `bash {PLAN_PATH}/scripts/greet.sh {WHO} {WORDS} {RESULT}`',
  '- **produces**: {RESULT}',
  '',
].join('\n');

function makePlan(name: string, greeting: string): string {
  const folder = fleet.makeFolder(name);
  fleet.makeFolder(name, 'scripts');
  writeFileSync(`${folder}/plan.md`, GREETING);
  writeFileSync(`${folder}/scripts/greet.sh`, `echo "${greeting} $1, $(cat "$2")" >"$3"\n`);
  return folder;
}

async function listBatches(): Promise<BatchView[]> {
  return [...(await fleet.get<Page<BatchView>>('/v1/batches?limit=500')).items];
}

async function cliOk(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await fleet.cli(args);
  expect([code, stderr]).toEqual([0, stderr]);
  return stdout;
}

test('a plan is registered, shown, submitted by name with a file, and run in the version asked for', async () => {
  makePlan('greeting', 'Hello');
  writeFileSync(fleet.path('words.txt'), 'how are you');
  expect(await cliOk('plan', 'register', 'greeting')).toContain('Plan greeting is registered: version 1');
  makePlan('greeting', 'Servus');
  expect(await cliOk('plan', 'register', 'greeting')).toContain('version 2');
  // The same bytes, packed again from the disk, are the same version.
  expect(await cliOk('plan', 'register', 'greeting')).toContain('version 2');
  expect(await cliOk('plan', 'list')).toMatch(/^greeting +version 2 /m);
  const shown = await cliOk('plan', 'show', 'greeting');
  expect(shown).toContain('Plan greeting version 2: Greeting');
  expect(shown).toMatch(/WORDS +file +required/);
  expect(shown).toContain('scripts/greet.sh');

  for (const [plan, text] of [
    ['greeting', 'Servus Ann, how are you\n'],
    ['greeting@1', 'Hello Ann, how are you\n'],
  ] as const) {
    const inputs = ['-i', 'WHO=Ann', '-i', 'WORDS=@words.txt', '--json'];
    const { batch_id, plan_name } = JSON.parse(await cliOk('submit', '--plan', plan, ...inputs)) as Submitted;
    expect(plan_name).toBe('greeting');
    expect((await fleet.untilEnded(batch_id)).state).toBe('succeeded');
    const file = await fleet.request(`/v1/batches/${batch_id}/files/output/greeting.txt`);
    expect(await file.text()).toBe(text);
  }
});

test('a wrong name is told with the right one, and a plan with errors is not registered', async () => {
  makePlan('farewell', 'Bye');
  await cliOk('plan', 'register', 'farewell');
  const wrong = await fleet.cli(['submit', '--plan', 'farewel']);
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('Did you mean farewell?')]);
  writeFileSync(fleet.path('farewell', 'plan.md'), GREETING.replace('greet.sh', 'gret.sh'));
  const broken = await fleet.cli(['plan', 'register', 'farewell']);
  expect([broken.code, broken.stderr]).toEqual([2, expect.stringContaining('nothing was registered')]);
  expect(await cliOk('plan', 'show', 'farewell')).toContain('version 1');
});

test('the example plan can be registered as it is', async () => {
  const source = fileURLToPath(new URL('../../plans/invoice_processor', import.meta.url));
  cpSync(source, fleet.path('invoice_processor'), {
    recursive: true,
    filter: (path) => !path.includes('node_modules'),
  });
  expect(await cliOk('plan', 'register', 'invoice_processor')).toContain('version 1');
  expect(await cliOk('plan', 'show', 'invoice_processor', '--markdown')).toBe(
    readFileSync(fleet.path('invoice_processor', 'plan.md'), 'utf8'),
  );
});

describe('through a network that loses answers', () => {
  let proxy: Server;
  let url: string;
  /** What becomes of the next submissions that the control plane has answered. */
  let fates: ('answered' | 'cut off' | 'cut in the middle' | '502')[] = [];
  beforeAll(async () => {
    proxy = createServer((incoming, outgoing) => {
      const fate = incoming.url === '/v1/batches' ? (fates.shift() ?? 'answered') : 'answered';
      const options = { method: incoming.method, headers: incoming.headers };
      const forwarded = httpRequest(fleet.url + incoming.url, options, (answer) => {
        if (fate === 'cut off') return void outgoing.destroy();
        if (fate === '502') return void outgoing.writeHead(502).end('bad gateway');
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        if (fate === 'answered') return void answer.pipe(outgoing);
        answer.once('data', (chunk: Buffer) => {
          outgoing.write(chunk.subarray(0, 10), () => outgoing.destroy());
        });
      });
      incoming.pipe(forwarded);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    proxy.closeAllConnections();
    return new Promise((resolve) => proxy.close(resolve));
  });

  test.each<[string, typeof fates]>([
    ['before they begin', ['cut off', 'answered']],
    ['in the middle', ['cut in the middle', 'answered']],
    ['twice, in different ways', ['502', 'cut off', 'answered']],
  ])('%s: the CLI submits again, and there is one batch', async (_name, next) => {
    const before = await listBatches();
    fates = [...next];
    const plan = fleet.makeFolder('lost answers');
    writeFileSync(
      `${plan}/plan.md`,
      '# Plan: Lost\n\n## Tasks\n\n### a\n- **task_class**: cpu\n- **command**: `true`\n',
    );
    const output = JSON.parse(await cliOk('submit', 'lost answers', '--json', '--url', url)) as Submitted;
    expect(fates).toEqual([]);
    const after = await listBatches();
    expect(after.map((batch) => batch.id).filter((id) => !before.some((batch) => batch.id === id))).toEqual([
      output.batch_id,
    ]);
  });

  test('given up, the command says how to go on, and that finds the batch', async () => {
    const before = await listBatches();
    fates = ['cut off', 'cut off', 'cut off'];
    const lost = await fleet.cli(['submit', 'lost answers', '--url', url]);
    expect(lost.code).toBe(3);
    const key = /--idempotency-key ([0-9a-f-]{36})/.exec(lost.stderr)?.[1];
    expect(key).toBeDefined();
    const again = await cliOk('submit', 'lost answers', '--idempotency-key', key ?? '');
    expect(again).toContain('was submitted before');
    expect(await listBatches()).toHaveLength(before.length + 1);
  });
});

describe('delete', () => {
  test('a batch that runs is refused with what to do first', async () => {
    const id = await fleet.submit(
      '# Plan: Long\n\n## Tasks\n\n### a\n- **task_class**: cpu\n- **command**: `sleep 600`\n',
    );
    await until('the task to run', async () => (await fleet.batch(id)).leased === 1);
    const refused = await fleet.cli(['delete', id, '--yes']);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(`planfleet cancel ${id}`)]);
    await cliOk('cancel', id);
    await fleet.untilEnded(id);
    await cliOk('delete', id, '--yes');
    expect((await fleet.request(`/v1/batches/${id}`)).status).toBe(404);
  });

  test('an ended batch is gone from every view at once, its rows soon, and its blobs stay', async () => {
    const id = await fleet.submit(
      [
        '# Plan: Many',
        '',
        '## Inputs',
        '',
        '- **RESULT**: the files (output folder) (default: result)',
        '',
        '## Tasks',
        '',
        '### each',
        '- **task_class**: cpu',
        '- **command**: `mkdir -p {RESULT} && echo {ITEM} >{RESULT}/{ITEM}.txt`',
        '- **foreach**: `[1, 2, 3, 4, 5, 6]`',
        '- **produces**: {RESULT}',
        '',
      ].join('\n'),
    );
    expect((await fleet.untilEnded(id)).state).toBe('succeeded');
    const { items: files } = await fleet.get<Page<FileView>>(`/v1/batches/${id}/files`);
    expect(files).toHaveLength(6);

    expect((await fleet.cli(['delete', id])).code).toBe(2);
    expect(await cliOk('delete', id, '--yes')).toBe(`Batch ${id} is deleted.\n`);
    const paths = ['', '/stages', '/tasks', '/files', `/files/${files[0]?.path}`].map(
      (rest) => `/v1/batches/${id}${rest}`,
    );
    for (const path of [...paths, `/v1/tasks/${id}:each:0`, `/v1/tasks/${id}:each:0/attempts`])
      expect([path, (await fleet.request(path)).status]).toEqual([path, 404]);
    expect((await listBatches()).map((batch) => batch.id)).not.toContain(id);
    expect((await fleet.cli(['delete', id, '--yes'])).code).toBe(2);
    expect((await fleet.request(`/v1/blobs/${files[0]?.sha256}`)).status).toBe(200);

    const file = fleet.path('server', 'planfleet.db');
    expect(existsSync(file)).toBe(true);
    const database = new Libsql(file, { readonly: true });
    const left = database.prepare(
      `SELECT (SELECT count(*) FROM batches WHERE deleted_at IS NOT NULL) + (SELECT count(*) FROM stages s
        WHERE NOT EXISTS (SELECT 1 FROM batches b WHERE b.seq = s.batch_seq)) AS n`,
    );
    try {
      await until('the rows to be removed', () => (left.get() as { n: number }).n === 0);
    } finally {
      database.close();
    }
  });
});
