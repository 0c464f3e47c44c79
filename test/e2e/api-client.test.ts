import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import createClient from 'openapi-fetch';
import openapiTS, { astToString } from 'openapi-typescript';
import ts from 'typescript';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EXAMPLE_PLAN } from '../../control-plane/src/routes/openapi/examples.ts';
import type { Situation } from '../fixtures/api-client/situation.ts';
import {
  type AnswerValidator,
  type ApiDescription,
  createAnswerValidator,
} from '../support/answer-validator.ts';
import { Fleet, until } from '../support/fleet.ts';
import { readEvents } from '../support/read-events.ts';

interface Answered {
  readonly response: Response;
  readonly data?: unknown;
  readonly error?: unknown;
}

/** Its types need those that are generated here, so that it is compiled by the test below and not with the others. */
const CALLS = new URL('../fixtures/api-client/calls.ts', import.meta.url);

const fleet = new Fleet();
let calls: Record<string, (api: unknown, at: Situation) => Promise<Answered>>;
let description: ApiDescription;
let validator: AnswerValidator;
let situation: Situation;
let api: unknown;

const hash = (text: string) => createHash('sha256').update(text).digest('hex');

/** A task that reads a list, on agents with the label `probe`. */
const PROBE_PLAN = `# Plan: Probe

## Tasks

### scan
- **task_class**: cpu
- **labels**: probe
- **command**: \`echo '[{"id":"a"}]' > {BATCH_PATH}/list.json\`

### each
- **task_class**: cpu
- **labels**: nowhere
- **depends_on**: scan
- **foreach**: {BATCH_PATH}/list.json
- **command**: \`echo {ITEM.id}\`
`;

const FAILING_PLAN = `# Plan: Failing

## Tasks

### fail
- **task_class**: cpu
- **max_attempts**: 1
- **command**: \`false\`
`;

const LONG_PLAN = `# Plan: Long

## Tasks

### one
- **task_class**: cpu
- **max_attempts**: 1
- **command**: \`sleep 600\`

### two
- **task_class**: cpu
- **max_attempts**: 1
- **command**: \`sleep 600\`
`;

async function submitFailing(): Promise<string> {
  const id = await fleet.submit(FAILING_PLAN);
  expect((await fleet.untilEnded(id)).state).toBe('failed');
  return id;
}

async function submitRunning(): Promise<[string, string]> {
  const id = await fleet.submit(LONG_PLAN);
  await until('both tasks to run', async () => (await fleet.batch(id)).leased === 2);
  return [`${id}:one`, `${id}:two`];
}

beforeAll(async () => {
  await fleet.startServer();
  await fleet.startAgent('worker');
  const texts = fleet.makeFolder('texts');
  for (const name of ['a.txt', "it's b.txt", 'not a text'])
    writeFileSync(`${texts}/${name}`, 'one two three\n');
  const batch_id = await fleet.submit(EXAMPLE_PLAN, { INPUT_FOLDER: texts, OUTPUT_FILE: 'words.csv' });
  expect(await fleet.untilEnded(batch_id)).toMatchObject({ state: 'succeeded', total: 4 });
  const items = [{ id: 'a' }];
  situation = {
    batch_id,
    task_id: `${batch_id}:count:1`,
    file_path: 'output/words.csv',
    other_batch_id: await fleet.submit(PROBE_PLAN.replaceAll('probe', 'nobody')),
    failed_batch_id: await submitFailing(),
    failed_task_id: `${await submitFailing()}:fail`,
    running_task_ids: await submitRunning(),
    plan: PROBE_PLAN,
    agent: 'probe',
    blob: { content: 'hello', sha256: hash('hello') },
    items: { list: items, sha256: hash(JSON.stringify(items)) },
    session: 0,
    lease: null,
    jti: '',
  };
  description = await fleet.get<ApiDescription>('/openapi.json');
  validator = createAnswerValidator(description);
  const headers = { authorization: `Bearer ${await fleet.adminToken()}` };
  api = createClient({ baseUrl: fleet.url, headers });
  ({ calls } = (await import(CALLS.href)) as { calls: typeof calls });
});
afterAll(() => fleet.close());

/** The routes of the description, as in `GET /v1/batches/{id}`. */
function routes(): string[] {
  return Object.entries(description.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
}

test('every route has a call', () => {
  expect(Object.keys(calls).sort()).toEqual(routes().sort());
});

test('a field that is not described, or is missing, would be found', () => {
  expect(validator.checkShape('Ok', { ok: true })).toEqual([]);
  expect(validator.checkShape('Ok', { ok: true, more: 1 })).toHaveLength(1);
  expect(validator.checkShape('Ok', {})).toHaveLength(1);
  expect(validator.checkAnswer('GET /healthz', 418, 'application/json', '{}')).toHaveLength(1);
});

test('a client that is generated from the description compiles', async () => {
  const types = astToString(await openapiTS(JSON.stringify(description)));
  const schema = fileURLToPath(new URL('schema.ts', CALLS));
  expect(compile(fileURLToPath(CALLS), schema, types)).toEqual([]);
});

test('every call is answered as it is described, to the last field', async () => {
  for (const [route, call] of Object.entries(calls)) {
    const answered = await call(api, situation);
    const { status, headers } = answered.response;
    const body = bodyOf(answered);
    expect([route, status, body]).toEqual([route, expect.toSatisfy((code: number) => code < 300), body]);
    const problems = validator.checkAnswer(route, status, headers.get('content-type'), body);
    expect([route, problems, body]).toEqual([route, [], body]);
  }
});

test('the file of the example plan has what its tasks counted', async () => {
  const response = await fleet.request(`/v1/batches/${situation.batch_id}/files/${situation.file_path}`);
  expect(await response.text()).toBe('words,6\n');
});

test('events are as they are described', async () => {
  const reader = readEvents(await fleet.request(`/v1/batches/${situation.batch_id}/events`));
  const shapes: Record<string, string> = { batch: 'BatchEvent', end: 'Batch' };
  const seen: string[] = [];
  for (let event = await reader.next(); event !== null; event = await reader.next()) {
    seen.push(event.event);
    expect(validator.checkShape(shapes[event.event] ?? event.event, event.data)).toEqual([]);
  }
  expect(seen).toEqual(['batch', 'end']);
});

test('a refusal is as it is described, on every route', async () => {
  for (const route of routes()) {
    const [method = '', path = ''] = route.split(' ');
    if (!path.startsWith('/v1/')) continue;
    const address = path.replace(/\{\w+\}/g, 'x');
    const unknown = await fleet.request(address, { method, headers: { authorization: 'Bearer x' } });
    const wrong = await fleet.request(`${address}?colour=red`, {
      method,
      ...(method === 'GET' ? {} : { body: '{' }),
    });
    for (const response of [unknown, wrong]) {
      const body = await response.text();
      const problems = validator.checkAnswer(
        route,
        response.status,
        response.headers.get('content-type'),
        body,
      );
      expect([route, response.status, problems, body]).toEqual([route, response.status, [], body]);
    }
    expect(unknown.status).toBe(401);
  }
});

function bodyOf({ data, error }: Answered): string {
  const body = data ?? error ?? '';
  return typeof body === 'string' ? body : JSON.stringify(body);
}

/** The errors of `file` with the text of `virtual` beside it, under the strictest rules. */
function compile(file: string, virtual: string, text: string): string[] {
  const options: ts.CompilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (name) => name === virtual || fileExists(name);
  host.readFile = (name) => (name === virtual ? text : readFile(name));
  host.getSourceFile = (name, ...rest) =>
    name === virtual ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2023) : getSourceFile(name, ...rest);
  const program = ts.createProgram([file], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ messageText, file: place, start = 0 }) => {
    const line = place === undefined ? 0 : place.getLineAndCharacterOfPosition(start).line + 1;
    return `${place?.fileName}:${line} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
  });
}
