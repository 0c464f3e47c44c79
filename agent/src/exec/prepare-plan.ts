import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Attempt } from './attempt.ts';
import { fetchBlob } from './fetch-blob.ts';
import { folderExists, placeFolder } from './place-folder.ts';
import { unpackArchive } from './unpack-archive.ts';

/** `{PLAN_PATH}`: the bundle, unpacked once per version of the plan. */
export async function preparePlan(attempt: Attempt): Promise<void> {
  const { shop, spec } = attempt;
  attempt.plan_path = join(shop.plans, spec.plan_digest);
  if (spec.bundle === null) {
    await mkdir(attempt.plan_path, { recursive: true });
  } else if (!(await folderExists(attempt.plan_path))) {
    const { bundle } = spec;
    const target = attempt.plan_path;
    const what = `The bundle of the plan ${spec.plan_name}`;
    await shop.shared.run(`plan ${target}`, attempt.ending.signal, (signal) =>
      placeFolder(target, (folder) => fetchAndUnpack(attempt, bundle, folder, what, signal)),
    );
  }
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
