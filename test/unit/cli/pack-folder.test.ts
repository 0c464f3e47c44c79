import { chmod, cp, link, mkdir, rename, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { list } from 'tar';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isLeftOutOfPlan, listFolder } from '../../../agent/src/client/list-folder.ts';
import { packFolder } from '../../../agent/src/client/pack-folder.ts';
import { createTestTerminal, type TestTerminal } from './test-terminal.ts';

let test: TestTerminal;
let folder: string;
beforeEach(async () => {
  test = await createTestTerminal();
  folder = join(test.home, 'my plan');
  await mkdir(join(folder, 'scripts'), { recursive: true });
  await writeFile(join(folder, 'plan.md'), '# Plan: X\n');
  await writeFile(join(folder, 'scripts', 'run.sh'), 'echo\n', { mode: 0o755 });
});
afterEach(() => test.remove());

const pack = async (place: string, leaveOut?: (path: string) => boolean) =>
  packFolder(place, await listFolder(place, leaveOut), join(test.home, `${Math.random()}.tgz`));

async function contents(file: string) {
  const entries: { path: string; type: string; mode: number | undefined }[] = [];
  await list({ file, onReadEntry: ({ path, type, mode }) => entries.push({ path, type, mode }) });
  return entries;
}

describe('packing a folder', () => {
  it('gives the same bytes whatever the times, the place, the order of creation and the umask', async () => {
    const first = await pack(folder);
    const copy = join(test.home, 'copy');
    await mkdir(copy);
    await cp(join(folder, 'scripts'), join(copy, 'scripts'), { recursive: true });
    await cp(join(folder, 'plan.md'), join(copy, 'plan.md'));
    await chmod(join(copy, 'plan.md'), 0o600);
    await utimes(join(copy, 'plan.md'), 1, 2);
    expect((await pack(copy)).sha256).toBe(first.sha256);
    await rename(copy, join(test.home, 'moved'));
    expect((await pack(join(test.home, 'moved'))).sha256).toBe(first.sha256);
  });

  it('gives other bytes when content, a name or the executable bit changes', async () => {
    const before = (await pack(folder)).sha256;
    await chmod(join(folder, 'scripts', 'run.sh'), 0o644);
    const after = (await pack(folder)).sha256;
    expect(after).not.toBe(before);
    await writeFile(join(folder, 'plan.md'), '# Plan: Y\n');
    expect((await pack(folder)).sha256).not.toBe(after);
  });

  it('sorts, and leaves results and installed packages out of a plan but not out of an input', async () => {
    for (const each of [
      'history/b/x',
      '.git/x',
      'node_modules/x/y',
      'scripts/node_modules/z',
      'scripts/history',
    ]) {
      await mkdir(join(folder, each, '..'), { recursive: true });
      await writeFile(join(folder, each), '');
    }
    const packed = await pack(folder, isLeftOutOfPlan);
    expect((await contents(packed.file)).map((entry) => entry.path)).toEqual([
      'plan.md',
      'scripts/',
      'scripts/history',
      'scripts/run.sh',
    ]);
    expect(packed.files).toBe(3);
    expect((await listFolder(folder)).map((entry) => entry.path)).toContain('history/b/x');
  });

  it('packs odd names, links inside the folder and second names of a file as plain files', async () => {
    for (const name of ['@at', '-dash', 'c:colon', "quote's $(x)", 'ünïcode', 'line\nend'])
      await writeFile(join(folder, name), 'x');
    await symlink('scripts/run.sh', join(folder, 'link.sh'));
    await link(join(folder, 'plan.md'), join(folder, 'second.md'));
    const entries = await contents((await pack(folder)).file);
    expect(entries.filter((entry) => !['File', 'Directory'].includes(entry.type))).toEqual([]);
    const paths = entries.map((entry) => entry.path);
    expect(paths).toEqual(
      expect.arrayContaining(['@at', '-dash', 'c:colon', "quote's $(x)", 'ünïcode', 'line\nend']),
    );
    expect(entries.find((entry) => entry.path === 'link.sh')?.mode).toBe(0o755);
    expect(paths).toContain('second.md');
  });

  it.each([
    ['/etc/hostname', 'leads out of the folder'],
    ['../elsewhere', 'leads nowhere'],
    ['scripts', 'leads to a folder'],
  ])('refuses a link to %s', async (target, text) => {
    await symlink(target, join(folder, 'link'));
    await expect(listFolder(folder)).rejects.toThrow(text);
    await expect(listFolder(folder)).rejects.toMatchObject({ exit_code: 2 });
  });
});
