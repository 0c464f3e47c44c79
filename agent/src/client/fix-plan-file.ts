import { randomBytes } from 'node:crypto';
import { chmod, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { type Diagnostic, fixPlan } from '@planfleet/shared-types';
import { usageError } from './cli-error.ts';
import type { LocalPlan } from './open-plan.ts';

/** What was done to a plan.md. */
export interface FixedFile {
  readonly before: string;
  readonly after: string;
  readonly fixed: readonly Diagnostic[];
}

/** Repairs plan.md where it lies. The file is the old or the new one at any moment; unchanged, it is not written. */
export async function fixPlanFile(plan: LocalPlan): Promise<FixedFile> {
  // A link stays one: what it points to is replaced.
  const file = await realpath(plan.plan_file);
  const before = await readText(file);
  const files = plan.entries.filter(({ kind }) => kind === 'file').map(({ path }) => path);
  const { markdown, fixed } = fixPlan(before, plan.markdown === null ? { files } : {});
  if (markdown !== before) await replaceFile(file, markdown);
  return { before, after: markdown, fixed };
}

async function readText(file: string): Promise<string> {
  const bytes = await readFile(file);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw usageError('plan.md is not UTF-8, so it is not rewritten', 'Save it as UTF-8 first.');
  }
}

async function replaceFile(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await writeFile(draft, text);
    await chmod(draft, (await stat(file)).mode & 0o7777);
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
