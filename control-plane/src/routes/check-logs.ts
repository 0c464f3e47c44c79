import type { Report } from '@planfleet/shared-types';
import type { ArtifactStore } from '../artifacts/artifact-store.ts';

/** A log whose content is not stored is still on its machine, whatever the report says: that costs no attempt. */
export async function checkLogs(
  artifacts: ArtifactStore,
  reports: readonly Report[],
): Promise<readonly Report[]> {
  const wanted = reports.flatMap(({ log }) => (log?.kept === 'blob' ? [log.sha256] : []));
  if (wanted.length === 0) return reports;
  const there = await artifacts.has([...new Set(wanted)]);
  return reports.map((report) => {
    const { log } = report;
    if (log?.kept !== 'blob' || there.has(log.sha256)) return report;
    return { ...report, log: { ...log, kept: 'machine' } };
  });
}
