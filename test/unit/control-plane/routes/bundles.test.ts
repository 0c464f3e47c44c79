import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { packTar, type TarEntry } from 'modern-tar';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashOf, planOf } from '../../../support/api.ts';
import { bundleForm, fileEntry } from '../../../support/bundles.ts';
import { expectRefusal } from '../../../support/expect-refusal.ts';
import { openTestApp, type TestApp } from '../../../support/test-app.ts';

let server: TestApp;
beforeAll(async () => {
  server = await openTestApp({
    settings: { max_bundle_bytes: 200_000, max_unpacked_bytes: 1_000_000, max_bundle_entries: 50 },
  });
});
afterAll(() => server.close());

const plan = fileEntry('plan.md', planOf(['a']));

describe('a bundle', () => {
  test.each([
    ['plain'],
    ['gzipped'],
  ])('%s becomes a batch, and can be fetched by its digest', async (kind) => {
    const tar = await packTar([plan, fileEntry('scripts/x.py')]);
    const bundle = kind === 'plain' ? tar : gzipSync(tar);
    const response = await server.ask(
      'submit',
      'POST',
      '/v1/batches',
      bundleForm(bundle, { name: 'b', priority: '3' }),
    );
    expect(response.status).toBe(201);
    const blob = await server.ask('agent', 'GET', `/v1/blobs/${hashOf(bundle)}`);
    expect(hashOf(new Uint8Array(await blob.arrayBuffer()))).toBe(hashOf(bundle));
  });

  test.each([
    'gnu',
    'ustar',
    'pax',
    'v7',
    'oldgnu',
  ])('made by tar in its %s format is taken', async (format) => {
    const folder = mkdtempSync(join(tmpdir(), 'planfleet-bundle-'));
    mkdirSync(join(folder, 'scripts', 'deep'), { recursive: true });
    writeFileSync(join(folder, 'plan.md'), planOf(['a']));
    writeFileSync(join(folder, 'scripts', 'deep', `${'n'.repeat(format === 'v7' ? 20 : 90)}.py`), 'print()');
    const tar = execFileSync('tar', [`--format=${format}`, '-czf', '-', '-C', folder, '.']);
    rmSync(folder, { recursive: true });
    const response = await server.ask('submit', 'POST', '/v1/batches', bundleForm(tar));
    expect([response.status, await response.text()]).toEqual([201, expect.anything()]);
  });

  test('with a link made by tar is refused', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'planfleet-bundle-'));
    writeFileSync(join(folder, 'plan.md'), planOf(['a']));
    symlinkSync('/etc/passwd', join(folder, 'data'));
    const tar = execFileSync('tar', ['-czf', '-', '-C', folder, '.']);
    rmSync(folder, { recursive: true });
    const { code, problem } = await expectRefusal(server, bundleForm(tar));
    expect(code).toBe('invalid_bundle');
    expect(problem).toMatchObject({ entry: './data', hint: expect.stringContaining('tar') });
  });

  const link = (type: 'symlink' | 'link'): TarEntry => ({
    header: { name: 'l', size: 0, type, linkname: '/etc/passwd' },
  });
  const device = (type: 'fifo' | 'character-device'): TarEntry => ({ header: { name: 'd', size: 0, type } });
  test.each<[string, TarEntry[], RegExp]>([
    ['a path out of the folder', [plan, fileEntry('../evil')], /leads out.*\.\.\/evil/],
    ['a path out of the folder, hidden', [plan, fileEntry('a/../../evil')], /leads out/],
    ['an absolute path', [plan, fileEntry('/etc/passwd')], /absolute.*\/etc\/passwd/],
    ['a symbolic link', [plan, link('symlink')], /symbolic link: l/],
    ['a hard link', [plan, link('link')], /hard link: l/],
    ['a pipe', [plan, device('fifo')], /neither file nor folder/],
    ['a device', [plan, device('character-device')], /neither file nor folder/],
    ['the same path twice', [plan, fileEntry('a'), fileEntry('./a')], /twice/],
    ['two plans', [plan, plan], /twice/],
    ['a file in a file', [plan, fileEntry('a'), fileEntry('a/b')], /also has a folder/],
    ['a folder over a file', [plan, fileEntry('a/b'), fileEntry('a')], /twice/],
    ['a name that is too long', [plan, fileEntry(`${'n'.repeat(256)}/x`)], /too long/],
    [
      'too many entries',
      [plan, ...Array.from({ length: 60 }, (_, i) => fileEntry(`f${i}`))],
      /more than 50 entries/,
    ],
    ['no plan', [fileEntry('other.md')], /no plan\.md/],
    ['nothing', [], /no plan\.md|not a tar/],
    ['too much', [plan, fileEntry('big', new Uint8Array(1_100_000))], /unpacks to more than/],
  ])('with %s is refused', async (_name, entries, message) => {
    const { status, code, problem } = await expectRefusal(
      server,
      bundleForm(gzipSync(await packTar(entries))),
    );
    expect([status, code]).toEqual([422, 'invalid_bundle']);
    expect(problem.detail).toMatch(message);
  });

  test('packed as a folder is told how to pack it', async () => {
    const { problem } = await expectRefusal(
      server,
      bundleForm(await packTar([fileEntry('demo/plan.md'), fileEntry('demo/x')])),
    );
    expect(problem.hint).toContain('-C demo .');
  });

  const half = (bytes: Uint8Array) => bytes.subarray(0, Math.floor(bytes.length / 2));
  test.each<[string, () => Promise<Uint8Array>]>([
    ['text', async () => new TextEncoder().encode('# Plan: no tar at all')],
    ['nothing at all', async () => new Uint8Array()],
    ['zeros', async () => new Uint8Array(10_240)],
    ['half a gzip', async () => half(gzipSync(await packTar([plan, fileEntry('x', 'y'.repeat(5_000))])))],
    ['half a tar', async () => half(await packTar([plan, fileEntry('x', 'y'.repeat(9_000))]))],
    ['a gzip of no tar', async () => gzipSync('hello')],
    ['a gzip header and no more', async () => new Uint8Array([0x1f, 0x8b])],
    ['a gzip with a flipped bit', async () => flip(gzipSync(await packTar([plan])))],
  ])('of %s is refused', async (_name, make) => {
    const { status, code } = await expectRefusal(server, bundleForm(await make()));
    expect([status, code]).toEqual([422, 'invalid_bundle']);
  });

  test('that would unpack to gigabytes is given up early', async () => {
    const head = await packTar([{ header: { name: 'plan.md', size: 4, type: 'file' }, body: 'none' }]);
    const tar = new Uint8Array(150_000_000);
    tar.set(head.subarray(0, 1_024));
    const bomb = gzipSync(tar);
    expect(bomb.length).toBeLessThan(200_000);
    const started = performance.now();
    const { code, problem } = await expectRefusal(server, bundleForm(bomb));
    expect([code, problem.detail]).toEqual([
      'invalid_bundle',
      expect.stringMatching(/unpacks to more|not a tar/),
    ]);
    expect(performance.now() - started).toBeLessThan(300);
  });

  test('over the limit is 413', async () => {
    expect((await expectRefusal(server, bundleForm(new Uint8Array(250_000)))).status).toBe(413);
    expect((await expectRefusal(server, bundleForm(new Uint8Array(2_000_000)))).status).toBe(413);
  });

  test('with unknown, doubled or missing fields is refused, all named', async () => {
    const doubled = bundleForm(await packTar([plan]), { colour: 'red', config: '{}' });
    doubled.append('config', '{}');
    const { status, problem } = await expectRefusal(server, doubled);
    expect(status).toBe(422);
    expect((problem['issues'] as { path: string }[]).map(({ path }) => path)).toEqual(['colour', 'config']);
    expect((await expectRefusal(server, bundleForm(null, { config: '{}' }))).problem['issues']).toMatchObject(
      [{ path: 'bundle' }],
    );
  });

  test.each([
    [{ config: '{' }, 400],
    [{ config: '[]' }, 422],
    [{ config: '{"lower": "x"}' }, 422],
    [{ config: '{"A": {}}' }, 422],
    [{ uploads: '{"A": {}}' }, 422],
    [{ uploads: 'null' }, 422],
    [{ priority: '0' }, 422],
    [{ name: 'x'.repeat(300) }, 422],
  ])('with the fields %j is %i', async (fields, status) => {
    expect(
      (
        await expectRefusal(
          server,
          bundleForm(await packTar([plan]), fields as unknown as Record<string, string>),
        )
      ).status,
    ).toBe(status);
  });

  test.each([
    ['multipart/form-data', 'x'],
    ['multipart/form-data; boundary=b', ''],
    ['multipart/form-data; boundary=b', '--b\r\ngarbage\r\n--b--'],
    ['multipart/form-data; boundary=b', '--b\r\nContent-Disposition: form-data; name="bundle"\r\n\r\n'],
    ['multipart/form-data; boundary=', '----\r\n'],
  ])('in a broken form (%s, %j) is a bad request', async (type, body) => {
    const { status } = await expectRefusal(server, new TextEncoder().encode(body), { 'content-type': type });
    expect([400, 422]).toContain(status);
  });
});

function flip(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes);
  const at = Math.floor(copy.length / 2);
  copy[at] = (copy[at] ?? 0) ^ 0x55;
  return copy;
}
