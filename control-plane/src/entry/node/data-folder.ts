import { chmod, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Database } from '../../store/database.ts';
import { openEmbeddedDatabase } from '../../store/databases/embedded.node.ts';

/** The folder of an installation, for its owner alone: it holds the signing key and everybody's files. */
export async function prepareDataFolder(data: string): Promise<string> {
  const folder = resolve(data);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  return folder;
}

export function openDatabase(folder: string): Database {
  return openEmbeddedDatabase({ file: join(folder, 'planfleet.db') });
}
