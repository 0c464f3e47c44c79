import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Attempt, AttemptError } from './attempt.ts';
import { fetchBlob } from './fetch-blob.ts';
import { folderExists, placeFolder } from './place-folder.ts';
import { unpackArchive } from './unpack-archive.ts';

/** `{PLAN_PATH}`: the bundle, unpacked once per version of the plan, or a folder of it. */
export async function preparePlan(attempt: Attempt): Promise<void> {
  const { spec } = attempt;
  attempt.plan_path = await placePlan(attempt, { ...spec, plan_folder: spec.plan_folder ?? '' });
}

/** Unpacks a version of a plan where it is not there yet, and says where it is. */
export async function placePlan(
  attempt: Attempt,
  plan: { plan_name: string; plan_digest: string; bundle: string | null; plan_folder: string },
): Promise<string> {
  const { shop } = attempt;
  const { bundle, plan_folder } = plan;
  const target = join(shop.plans, plan.plan_digest);
  if (bundle === null) await mkdir(target, { recursive: true });
  else if (!(await folderExists(target))) {
    const what = `The bundle of the plan ${plan.plan_name}`;
    await shop.shared.run(`plan ${target}`, attempt.ending.signal, (signal) =>
      placeFolder(target, (folder) => fetchAndUnpack(attempt, bundle, folder, what, signal)),
    );
  }
  const steps = plan_folder.split('/');
  const isInside = plan_folder === '' || !steps.some((step) => ['', '.', '..'].includes(step));
  const folder = join(target, plan_folder);
  if (!isInside || plan_folder.includes('\0') || !(await folderExists(folder))) {
    throw new AttemptError(
      'definition',
      `The bundle of the plan ${plan.plan_name} has no folder ${JSON.stringify(plan_folder)}`,
    );
  }
  return folder;
}

/** Fetches a gzipped tar beside the plans and unpacks it. */
export async function fetchAndUnpack(
  attempt: Attempt,
  sha256: string,
  folder: string,
  what: string,
  signal: AbortSignal,
): Promise<void> {
  const { shop } = attempt;
  await mkdir(shop.plans, { recursive: true });
  const arrival = await mkdtemp(join(shop.plans, '.arrival-'));
  try {
    const archive = join(arrival, 'archive.tar.gz');
    await fetchBlob(shop, sha256, archive, what, signal);
    await unpackArchive(archive, folder, what);
  } finally {
    await rm(arrival, { recursive: true, force: true }).catch(() => undefined);
  }
}
