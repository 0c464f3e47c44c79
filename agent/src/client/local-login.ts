import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as z from 'zod';

/** How the user who started a control plane on this machine talks to it. */
const localLoginSchema = z.object({ url: z.string(), token: z.string() });
export type LocalLogin = z.infer<typeof localLoginSchema>;

export function localLoginFile(data: string): string {
  return join(data, 'local-login.json');
}

/** Null when no control plane was ever started with this data folder (or not by this user). */
export async function readLocalLogin(data: string): Promise<LocalLogin | null> {
  try {
    const parsed = localLoginSchema.safeParse(JSON.parse(await readFile(localLoginFile(data), 'utf8')));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

export async function writeLocalLogin(data: string, login: LocalLogin): Promise<void> {
  await writePrivateFile(localLoginFile(data), `${JSON.stringify(login, null, 2)}\n`);
}

/**
 * Makes the CLI find this control plane from now on, where the user has not configured one. Only the
 * folder is noted: the token stays in one place, and goes with the data when that is deleted.
 */
export async function writeConfigIfNone(file: string, data: string): Promise<boolean> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  try {
    await writeFile(file, `${JSON.stringify({ data }, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Never readable by others, not even for a moment, and never half written. */
export async function writePrivateFile(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${randomBytes(4).toString('hex')}`;
  await writeFile(temporary, text, { mode: 0o600, flag: 'wx' });
  await rename(temporary, file);
}
