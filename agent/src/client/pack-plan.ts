import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LocalPlan } from './open-plan.ts';
import { packFolder } from './pack-folder.ts';

/** The bundle of a plan on this machine, as a file in `temporary`. */
export async function packPlan(plan: LocalPlan, temporary: string): Promise<string> {
  const file = join(temporary, 'plan.tgz');
  if (plan.markdown === null) return (await packFolder(plan.folder, plan.entries, file)).file;
  // Whatever the file is called here, in a bundle the plan is plan.md.
  const folder = join(temporary, 'plan');
  await mkdir(folder);
  await writeFile(join(folder, 'plan.md'), plan.markdown);
  return (await packFolder(folder, [{ path: 'plan.md', kind: 'file' }], file)).file;
}
