import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { Miniflare } from 'miniflare';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type ArtifactStore,
  DigestMismatchError,
} from '../../../../control-plane/src/artifacts/artifact-store.ts';
import { openDirectoryStore } from '../../../../control-plane/src/artifacts/stores/directory.node.ts';

const hashOf = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');

function streamOf(content: Uint8Array, breakAfter?: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (breakAfter !== undefined && at >= breakAfter)
        return controller.error(new Error('The sender went away.'));
      if (at >= content.length) return controller.close();
      controller.enqueue(content.slice(at, at + 65_536));
      at += 65_536;
    },
  });
}

interface Opened {
  readonly store: ArtifactStore;
  close(): Promise<void>;
}

async function openDirectory(): Promise<Opened> {
  const folder = mkdtempSync(join(tmpdir(), 'planfleet-artifacts-'));
  const store = await openDirectoryStore(folder, Date.now());
  return { store, close: async () => rmSync(folder, { recursive: true, force: true }) };
}

/** The R2 store runs where its bucket is, in workerd; a worker that is nothing but the store stands between. */
async function openR2(): Promise<Opened> {
  const module = JSON.stringify(
    join(import.meta.dirname, '../../../../control-plane/src/artifacts/stores/r2.ts'),
  );
  const source = `import { openR2Store } from ${module};
    export default { async fetch(request, env) {
      const store = openR2Store(env.ARTIFACTS);
      const sha256 = new URL(request.url).pathname.slice(1);
      try {
        if (request.method === 'POST') return Response.json([...(await store.has(await request.json()))]);
        if (request.method === 'DELETE') return new Response(await store.delete(sha256));
        if (request.method === 'PUT') {
          const size = request.headers.get('x-size');
          await store.put(sha256, request.body ?? new Blob([]).stream(), size === null ? null : Number(size));
          return new Response();
        }
        const found = await store.get(sha256);
        return found === null ? new Response(null, { status: 404 }) : new Response(found.stream, { headers: { 'x-size': found.size } });
      } catch (error) { return Response.json({ name: error.name, message: error.message }, { status: 500 }); }
    } };`;
  const bundled = await build({
    stdin: { contents: source, resolveDir: import.meta.dirname },
    bundle: true,
    format: 'esm',
    write: false,
  });
  const worker = new Miniflare({
    modules: true,
    script: bundled.outputFiles[0]?.text ?? '',
    compatibilityDate: '2026-04-01',
    r2Buckets: ['ARTIFACTS'],
    cf: false,
  });
  const url = await worker.ready;
  async function ask(
    method: string,
    path: string,
    body?: NonNullable<RequestInit['body']>,
    headers: Record<string, string> = {},
  ) {
    const response = await fetch(new URL(path, url), {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
    });
    if (response.status !== 500) return response;
    const error = (await response.json()) as { name: string; message: string };
    throw error.name === 'DigestMismatchError'
      ? new DigestMismatchError(error.message)
      : new Error(error.message);
  }
  return {
    store: {
      async has(sha256s) {
        return new Set((await (await ask('POST', '/', JSON.stringify(sha256s))).json()) as string[]);
      },
      async put(sha256, content, size) {
        const body = await new Response(content).arrayBuffer();
        await ask('PUT', sha256, body, size === null ? {} : { 'x-size': String(size) });
      },
      async get(sha256) {
        const response = await ask('GET', sha256);
        if (response.status === 404 || response.body === null) return null;
        return { size: Number(response.headers.get('x-size')), stream: response.body };
      },
      async delete(sha256) {
        await ask('DELETE', sha256);
      },
    },
    close: () => worker.dispose(),
  };
}

describe.each([
  ['a directory', openDirectory],
  ['R2', openR2],
])('%s', (_name, open) => {
  let opened: Opened;
  let store: ArtifactStore;
  beforeAll(async () => {
    opened = await open();
    store = opened.store;
  });
  afterAll(() => opened.close());

  async function read(sha256: string): Promise<{ size: number; content: Uint8Array } | null> {
    const found = await store.get(sha256);
    if (found === null) return null;
    return { size: found.size, content: new Uint8Array(await new Response(found.stream).arrayBuffer()) };
  }

  test.each([
    ['nothing', 0, true],
    ['a little', 10, true],
    ['a little of unknown size', 11, false],
    ['several megabytes', 3_000_000, true],
    ['several megabytes of unknown size', 3_000_001, false],
  ])('gives back %s as it came', async (_what, size, known) => {
    const content = randomBytes(size);
    await store.put(hashOf(content), streamOf(content), known ? size : null);
    const found = await read(hashOf(content));
    expect(found?.size).toBe(size);
    expect(found !== null && hashOf(found.content)).toBe(hashOf(content));
  });

  test.each([
    ['known', true],
    ['unknown', false],
  ])('refuses content of another hash (size %s), and shows none of it', async (_what, known) => {
    const content = randomBytes(200_000);
    const wrong = hashOf(randomBytes(8));
    const put = store.put(wrong, streamOf(content), known ? content.length : null);
    await expect(put).rejects.toBeInstanceOf(DigestMismatchError);
    expect(await read(wrong)).toBeNull();
    expect(await store.has([wrong])).toEqual(new Set());
  });

  test('refuses content that is shorter than announced', async () => {
    const content = randomBytes(1_000);
    await expect(store.put(hashOf(content), streamOf(content), 2_000)).rejects.toBeInstanceOf(
      DigestMismatchError,
    );
    expect(await read(hashOf(content))).toBeNull();
  });

  test('shows nothing of content that broke off', async () => {
    const content = randomBytes(300_000);
    await expect(store.put(hashOf(content), streamOf(content, 100_000), content.length)).rejects.toThrow();
    expect(await read(hashOf(content))).toBeNull();
  });

  test('tells which of many are there', async () => {
    const contents = Array.from({ length: 9 }, () => randomBytes(20));
    const hashes = contents.map(hashOf);
    for (const content of contents.slice(0, 5)) await store.put(hashOf(content), streamOf(content), 20);
    expect(await store.has(hashes)).toEqual(new Set(hashes.slice(0, 5)));
    expect(await store.has([])).toEqual(new Set());
  });

  test('takes the same content twice, also at once', async () => {
    const content = randomBytes(100_000);
    const put = () => store.put(hashOf(content), streamOf(content), content.length);
    await Promise.all([put(), put(), put()]);
    await put();
    expect((await read(hashOf(content)))?.size).toBe(100_000);
  });

  test('deletes, also what is not there', async () => {
    const content = randomBytes(30);
    await store.put(hashOf(content), streamOf(content), 30);
    await store.delete(hashOf(content));
    await store.delete(hashOf(content));
    expect(await read(hashOf(content))).toBeNull();
  });
});

test('a directory keeps nothing of what was refused, and clears what a crash left a day ago', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'planfleet-artifacts-'));
  const arriving = join(folder, 'arriving');
  mkdirSync(arriving);
  const now = 1_795_348_800_000;
  for (const [name, age_h] of [
    ['old', 25],
    ['young', 1],
  ] as const) {
    writeFileSync(join(arriving, name), 'x');
    utimesSync(join(arriving, name), now / 1_000, now / 1_000 - age_h * 3_600);
  }
  const store = await openDirectoryStore(folder, now);
  await expect(store.put('0'.repeat(64), streamOf(randomBytes(10)), 10)).rejects.toThrow();
  expect(readdirSync(arriving)).toEqual(['young']);
  const content = randomBytes(10);
  await store.put(hashOf(content), streamOf(content), 10);
  const file = join(folder, hashOf(content).slice(0, 2), hashOf(content).slice(2));
  expect(statSync(file).mode & 0o777).toBe(0o600);
  rmSync(folder, { recursive: true });
});
