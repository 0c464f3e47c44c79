import { writeFile } from 'node:fs/promises';
import { AttemptError } from './attempt.ts';

/** One argument is limited to 128 KiB by the kernel; what comes near it goes through a file. */
const MAX_INLINE_BYTES = 100_000;

/** How bash is called for a script: inline, or from a file when it is too long for one argument. */
export async function bashArguments(script: string, file: string): Promise<['bash', ...string[]]> {
  if (script.includes('\0')) throw new AttemptError('definition', 'The command contains a NUL character');
  if (Buffer.byteLength(script) <= MAX_INLINE_BYTES) return ['bash', '-c', script];
  await writeFile(file, script);
  return ['bash', file];
}
