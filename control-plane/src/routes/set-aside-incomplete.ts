import type { Report, ReportResult } from '@planfleet/shared-types';
import type { ArtifactStore } from '../artifacts/artifact-store.ts';

/**
 * Sets aside the reports of success whose files are not stored: accepted, they would make files that nobody can
 * read, of a task that never runs again. The other reports of the request go on.
 */
export async function setAsideIncomplete(
  artifacts: ArtifactStore,
  reports: readonly Report[],
): Promise<{
  readonly complete: readonly Report[];
  /** The results of the complete ones, with `files_missing` in the places of the others. */
  mergeResults(results: readonly ReportResult[]): ReportResult[];
}> {
  const wanted = new Set(reports.flatMap(contentOf));
  if (wanted.size === 0) return { complete: reports, mergeResults: (results) => [...results] };
  const there = await artifacts.has([...wanted]);
  const isComplete = reports.map((report) => contentOf(report).every((sha256) => there.has(sha256)));
  return {
    complete: reports.filter((_, index) => isComplete[index]),
    mergeResults(results) {
      const rest = results.values();
      return isComplete.map((complete) => (complete ? rest.next().value : undefined) ?? 'files_missing');
    },
  };
}

function contentOf(report: Report): string[] {
  return report.outcome === 'succeeded' ? report.files.map((file) => file.sha256) : [];
}
