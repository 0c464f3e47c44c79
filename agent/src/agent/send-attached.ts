import { type ItemsRequest, MAX_ITEMS_BYTES } from '@planfleet/shared-types';
import type { ChunkFile, Upload } from '../exec/attempt-order.ts';
import { hashFile } from '../exec/ledgers.ts';
import { isUnchanged } from '../exec/pin-file.ts';
import { readLines } from '../exec/read-lines.ts';
import type { Answer } from '../http/answer.ts';
import { backOffMs } from '../http/back-off.ts';
import type { AgentLife } from './agent-life.ts';
import { ChangedFile, correctReport } from './correct-report.ts';
import type { OutboxEntry } from './outbox.ts';
import { refusedResult } from './refused-result.ts';
import { sendLog } from './send-log.ts';
import { wait } from './wait.ts';

type Chunk = ItemsRequest['chunks'][number];

/** Asked about at once: 64 KB of digests. */
const BLOBS_PER_QUESTION = 1_000;
/** Room for the rest of the request around its chunks. */
const ENVELOPE_BYTES = 10_000;

/** Why something a report names cannot be delivered, ever. */
class Undeliverable extends Error {}

/**
 * Brings the lists and files that a report names to the control plane, as often as it takes, and then
 * lets the report go out. Reports without any go out at once.
 */
export async function sendAttached(life: AgentLife, entry: OutboxEntry): Promise<void> {
  const { chunk_files, uploads, log_upload } = entry.result;
  try {
    if (uploads.length > 0) await sendFiles(life, uploads);
    for (const chunk of chunk_files) await sendChunks(life, entry, chunk);
  } catch (error) {
    if (life.signal.aborted) return;
    if (error instanceof ChangedFile) return correctReport(life, entry, error.upload);
    const reason = error instanceof Error ? error.message : String(error);
    life.log({ level: 'error', event: 'attached_undeliverable', message: reason });
    const again = refusedResult(entry.result, reason);
    if (again !== null) {
      life.outbox.replace(entry, again);
      return;
    }
  }
  if (log_upload !== undefined && !life.signal.aborted) await sendLog(life, entry, log_upload);
  if (!life.signal.aborted) life.outbox.markReady(entry);
}

async function sendFiles(life: AgentLife, uploads: readonly Upload[]): Promise<void> {
  const bySha = new Map(uploads.map((upload) => [upload.sha256, upload]));
  const all = [...bySha.keys()];
  for (let from = 0; from < all.length; from += BLOBS_PER_QUESTION) {
    const some = all.slice(from, from + BLOBS_PER_QUESTION);
    const answer = await insist(life, () => life.controlPlane.findMissingBlobs(some, life.signal));
    for (const sha256 of answer?.missing ?? []) {
      const upload = bySha.get(sha256);
      if (upload === undefined) continue;
      await sendFile(life, upload);
    }
  }
}

async function sendFile(life: AgentLife, upload: Upload): Promise<void> {
  const { file, sha256, size } = upload;
  try {
    await insist(life, async () => {
      if (!(await isUnchanged(upload))) throw new ChangedFile(upload);
      return life.controlPlane.uploadBlob(sha256, file, size, life.signal);
    });
  } catch (error) {
    if (!(error instanceof Undeliverable)) throw error;
    // Refused for what it is, or because it is no longer that.
    if ((await hashFile(file).catch(() => null)) === sha256) throw error;
    throw new ChangedFile(upload);
  }
}

async function sendChunks(life: AgentLife, entry: OutboxEntry, chunkFile: ChunkFile): Promise<void> {
  const { lease } = entry.result.report;
  const send = async (chunks: Chunk[]) => {
    const body: ItemsRequest = { session: life.session.session, list: chunkFile.list, lease, chunks };
    await insist(life, () => life.controlPlane.sendItems(body, life.signal), true);
  };
  let gathered: Chunk[] = [];
  let bytes = 0;
  for await (const line of readLines(chunkFile.file)) {
    const size = Buffer.byteLength(line);
    if (gathered.length > 0 && bytes + size > MAX_ITEMS_BYTES - ENVELOPE_BYTES) {
      await send(gathered);
      gathered = [];
      bytes = 0;
    }
    gathered.push(JSON.parse(line));
    bytes += size;
  }
  if (gathered.length > 0) await send(gathered);
}

/**
 * Repeats a request until it is answered. `leaseMayBeGone`: a conflict (null) then only says that the
 * attempt no longer counts, which the answer to its report will say as well.
 */
async function insist<T>(
  life: AgentLife,
  request: () => Promise<Answer<T>>,
  leaseMayBeGone = false,
): Promise<T | null> {
  for (let failures = 0; ; failures++) {
    const answer = await request();
    if (answer.kind === 'ok') return answer.body;
    if (life.signal.aborted) throw new Error('the agent is ending');
    if (life.endsAgent(answer)) throw new Error('the agent is ending');
    if (answer.kind === 'final') {
      if (leaseMayBeGone && answer.status === 409) return null;
      throw new Undeliverable(answer.message);
    }
    const retryAfter = answer.kind === 'retry' ? answer.retry_after_ms : null;
    await wait(
      life.deps.timers,
      backOffMs(failures, life.deps.randomness.fraction(), retryAfter),
      life.signal,
    );
  }
}
