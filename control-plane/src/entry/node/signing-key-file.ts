import { randomBytes } from 'node:crypto';
import { link, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createSigningKey } from '../../auth/signing-key.ts';

/** Where an installation keeps its signing key. */
export function signingKeyFile(data: string): string {
  return join(data, 'signing-key.json');
}

/** The text of the signing key, made on the first start. */
export async function readOrCreateSigningKey(data: string): Promise<string> {
  const file = signingKeyFile(data);
  const found = await readOrNull(file);
  if (found !== null) return found;
  // Written under another name and linked: of two first starts at once one wins, and a crash leaves no half a key.
  const temporary = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    const handle = await open(temporary, 'wx', 0o600);
    await handle.writeFile(createSigningKey(randomBytes(40)));
    await handle.sync();
    await handle.close();
    await link(temporary, file).catch((error: unknown) => {
      if (!hasCode(error, 'EEXIST')) throw error;
    });
  } finally {
    await rm(temporary, { force: true });
  }
  return readFile(file, 'utf8');
}

async function readOrNull(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
