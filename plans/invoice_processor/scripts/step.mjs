import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Something the reader of the log can act on: it is shown as one line, without a stack. */
export class Refusal extends Error {}

/** Runs one script of the plan with its arguments; a refusal becomes one line on stderr and exit code 1. */
export async function runStep(argumentNames, step) {
  const given = process.argv.slice(2);
  try {
    if (given.length !== argumentNames.length || given.includes('')) {
      throw new Refusal(`expected ${argumentNames.length} arguments: ${argumentNames.join(' ')}`);
    }
    await step(...given);
  } catch (error) {
    const expected = error instanceof Refusal || (error instanceof Error && 'syscall' in error);
    console.error(expected ? error.message.replace(/\s*[\r\n]\s*/g, ' ') : error);
    process.exitCode = 1;
  }
}

/** Written beside its place and renamed, so that nobody ever sees half a file. */
export async function writeWhole(file, text) {
  await mkdir(dirname(file), { recursive: true });
  const part = `${file}.part-${process.pid}`;
  await writeFile(part, text);
  await rename(part, file);
}
