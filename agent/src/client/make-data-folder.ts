import { mkdir } from 'node:fs/promises';
import { usageError } from './cli-error.ts';

/** Makes a data folder for its owner alone; what is in its way is told with its path. */
export async function makeDataFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const isFile = code === 'EEXIST' || code === 'ENOTDIR';
    throw usageError(
      `${path} cannot be the data folder: ${isFile ? 'there is a file in its place' : message}`,
      'Name another folder with --data.',
    );
  }
}
