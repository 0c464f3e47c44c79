import { createHash } from 'node:crypto';
import { createReadStream, openAsBlob } from 'node:fs';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { sha256Schema, type Upload } from '@planfleet/shared-types';
import * as z from 'zod';
import type { ApiClient } from './api-client.ts';
import { usageError } from './cli-error.ts';
import { formatSize } from './format-size.ts';
import { listFolder, pathKind } from './list-folder.ts';
import { packFolder } from './pack-folder.ts';
import { retryRequest } from './retry-request.ts';
import type { PlanInput } from './validate-plan.ts';

const missingSchema = z.object({ missing: z.array(sha256Schema) });

interface Prepared {
  readonly input: string;
  readonly upload: Upload;
  readonly file: string;
  readonly text: string;
}

/**
 * Packs and hashes the inputs that travel, and sends those that are not there yet; the same folder
 * submitted twice is sent once.
 */
export async function uploadInputs(
  client: ApiClient,
  travelling: ReadonlyMap<string, string>,
  temporary: string,
  say: (line: string) => void,
): Promise<Record<string, Upload>> {
  const prepared: Prepared[] = [];
  for (const [input, path] of travelling) prepared.push(await prepare(input, path, temporary));
  if (prepared.length === 0) return {};
  const hashes = [...new Set(prepared.map((each) => each.upload.sha256))];
  const { missing } = await retryRequest(
    async () => (await client.sendJson(missingSchema, 'POST', '/v1/blobs/missing', { sha256: hashes })).value,
  );
  const toSend = new Set(missing);
  for (const { input, upload, file, text } of prepared) {
    if (!toSend.delete(upload.sha256)) {
      say(`${input}: ${text}, already there`);
      continue;
    }
    say(`${input}: sending ${text}`);
    const path = `/v1/blobs/${upload.sha256}`;
    const headers = { 'content-type': 'application/octet-stream' };
    await retryRequest(async () => {
      const response = await client.request('PUT', path, { body: await openAsBlob(file), headers });
      await response.body?.cancel();
    });
  }
  return Object.fromEntries(prepared.map(({ input, upload }) => [input, upload]));
}

/** Mistakes that would otherwise be told only after gigabytes were sent. */
export function checkTravelling(travelling: ReadonlyMap<string, string>, inputs: readonly PlanInput[]): void {
  for (const [key, path] of travelling) {
    const input = inputs.find((each) => each.name === key);
    if (input === undefined) {
      const names = inputs.map((each) => each.name).join(', ') || 'none';
      throw usageError(`the plan has no input ${key}`, `Its inputs: ${names}.`);
    }
    if (input.kind === 'output_file' || input.kind === 'output_folder')
      throw usageError(
        `${key} is written by the plan, so nothing is sent for it`,
        `Write -i ${key}=PATH, without the @; with --watch the result is put there.`,
      );
    if (input.kind === 'value')
      throw usageError(
        `${key} is a plain value in this plan, so it cannot take a file along`,
        `Mark it in the plan's Inputs with (file) or (folder), or write -i ${key}=${path} for a path on the machines.`,
      );
  }
}

/** Whether each path is there, and is what the plan wants. */
export async function checkPaths(
  travelling: ReadonlyMap<string, string>,
  inputs: readonly PlanInput[],
): Promise<void> {
  for (const [key, path] of travelling) {
    const kind = await pathKind(path);
    if (kind === null) throw usageError(`-i ${key}: there is no file or folder at ${path}`);
    const wanted = inputs.find((each) => each.name === key)?.kind;
    if ((wanted === 'file' || wanted === 'folder') && wanted !== kind)
      throw usageError(`-i ${key}: the plan wants a ${wanted}, and ${path} is a ${kind}`);
  }
}

async function prepare(input: string, path: string, temporary: string): Promise<Prepared> {
  const name = basename(path) || 'root';
  if ((await pathKind(path)) === 'folder') {
    const packed = await packFolder(path, await listFolder(path), join(temporary, `${input}.tgz`));
    const files = `${packed.files} ${packed.files === 1 ? 'file' : 'files'}`;
    return {
      input,
      upload: { sha256: packed.sha256, kind: 'folder', name },
      file: packed.file,
      text: `${files}, ${formatSize(packed.size)} packed`,
    };
  }
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  const blob = await openAsBlob(path);
  return {
    input,
    upload: { sha256: hash.digest('hex'), kind: 'file', name },
    file: path,
    text: `${name}, ${formatSize(blob.size)}`,
  };
}
