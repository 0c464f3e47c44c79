import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeDataFolder } from '../../../agent/src/client/make-data-folder.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'planfleet data '));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the data folder', () => {
  it('is made for its owner alone, with those above it', async () => {
    const path = join(folder, 'a', 'b');
    await makeDataFolder(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    await makeDataFolder(path);
  });

  it.each(['taken', 'taken/below'])('is refused where a file stands in its way: %s', async (name) => {
    writeFileSync(join(folder, 'taken'), '');
    await expect(makeDataFolder(join(folder, name))).rejects.toMatchObject({
      exit_code: 2,
      message: `${join(folder, name)} cannot be the data folder: there is a file in its place`,
      hint: 'Name another folder with --data.',
    });
  });
});
