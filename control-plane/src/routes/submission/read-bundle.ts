import { ApiError } from '@planfleet/shared-types';
import { createTarDecoder, type ParsedTarEntry, type TarHeader } from 'modern-tar';
import { limitBytes, readBytes, TooManyBytesError } from '../../artifacts/read-bytes.ts';
import type { Settings } from '../../settings.ts';
import { decodeText } from '../request/read-body.ts';
import { BundlePaths } from './bundle-paths.ts';

export interface Bundle {
  readonly markdown: string;
  /** Paths of its files, relative to the plan folder. */
  readonly files: readonly string[];
  /** Every other plan.md by its folder, as `a/b`: tasks of type execute_plan may name it. */
  readonly plans: ReadonlyMap<string, string>;
}

export type BundleLimits = Pick<Settings, 'max_unpacked_bytes' | 'max_bundle_entries' | 'max_markdown_bytes'>;

/** Plans in folders of a plan that are looked at; further ones can be executed as registered plans. */
const MAX_PLANS = 200;

const FOLLOW = 'Pack what it points to: tar with the option -h.';

/**
 * Looks through a plan folder's tar, gzipped or not, as a stream that stops at the limits: what unpacks to more
 * than allowed is never unpacked. Refused is whatever an agent that unpacks it would have to fear.
 */
export async function readBundle(bytes: Uint8Array<ArrayBuffer>, limits: BundleLimits): Promise<Bundle> {
  const paths = new BundlePaths();
  const plans = new Map<string, string>();
  let markdown: string | null = null;
  let entries = 0;
  const reader = openTar(bytes, limits.max_unpacked_bytes).getReader();
  try {
    for (;;) {
      const { done, value: entry } = await readEntry(reader, limits.max_unpacked_bytes);
      if (done) break;
      if (++entries > limits.max_bundle_entries) {
        throw refuse(
          `It holds more than ${limits.max_bundle_entries} entries.`,
          null,
          'Data belongs into inputs.',
        );
      }
      checkType(entry.header);
      const path = paths.add(entry.header.name, entry.header.type === 'directory');
      if (path === 'plan.md') markdown = await readMarkdown(entry, limits);
      else if (path.endsWith('/plan.md') && plans.size < MAX_PLANS) {
        const text = await readInnerPlan(entry, limits);
        if (text !== null) plans.set(path.slice(0, -'/plan.md'.length), text);
      } else await skip(entry, limits.max_unpacked_bytes);
    }
  } finally {
    // Lets go of the decompressor; on a stream that has failed there is nothing left to cancel.
    await reader.cancel().catch(() => undefined);
  }
  if (markdown !== null) return { markdown, files: paths.files(), plans };
  const folder = paths.folderWithPlan();
  throw refuse(
    'It holds no plan.md at its top.',
    null,
    folder === null
      ? 'Pack the content of the plan folder: tar -czf plan.tgz -C FOLDER .'
      : `Its plan.md is in ${folder}/. Pack the content, not the folder: tar -czf plan.tgz -C ${folder} .`,
  );
}

function openTar(bytes: Uint8Array<ArrayBuffer>, limit: number): ReadableStream<ParsedTarEntry> {
  const content: ReadableStream<Uint8Array> = new Blob([bytes]).stream();
  const gzipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const tar = gzipped ? content.pipeThrough(gunzip()) : content;
  return tar.pipeThrough(limitBytes(limit)).pipeThrough(createTarDecoder({ strict: true }));
}

/** The types of the runtimes disagree on what a decompressor takes; all of them take bytes. */
function gunzip(): TransformStream<Uint8Array, Uint8Array> {
  return new DecompressionStream('gzip') as unknown as TransformStream<Uint8Array, Uint8Array>;
}

async function readEntry(reader: ReadableStreamDefaultReader<ParsedTarEntry>, limit: number) {
  try {
    return await reader.read();
  } catch (error) {
    throw toRefusal(error, limit);
  }
}

async function readMarkdown(entry: ParsedTarEntry, limits: BundleLimits): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readBytes(entry.body, limits.max_markdown_bytes);
  } catch (error) {
    if (error instanceof TooManyBytesError && entry.header.size > limits.max_markdown_bytes) {
      throw refuse(`Its plan.md is larger than ${limits.max_markdown_bytes} bytes.`, 'plan.md');
    }
    throw toRefusal(error, limits.max_unpacked_bytes);
  }
  return decodeText(bytes, 'plan.md');
}

/** Null: too large or no text; whether that matters is asked when a task names it. */
async function readInnerPlan(entry: ParsedTarEntry, limits: BundleLimits): Promise<string | null> {
  if (entry.header.size > limits.max_markdown_bytes) {
    await skip(entry, limits.max_unpacked_bytes);
    return null;
  }
  const markdown = await readMarkdown(entry, limits).catch((error: unknown) => {
    if (error instanceof ApiError && error.code === 'invalid_bundle') throw error;
    return null;
  });
  return markdown;
}

async function skip(entry: ParsedTarEntry, limit: number): Promise<void> {
  try {
    await entry.body.pipeTo(new WritableStream());
  } catch (error) {
    throw toRefusal(error, limit);
  }
}

function toRefusal(error: unknown, limit: number): ApiError {
  if (error instanceof TooManyBytesError) {
    return refuse(
      `It unpacks to more than ${limit} bytes.`,
      null,
      'Data belongs into inputs, which travel beside it.',
    );
  }
  return refuse(
    'It is not a tar archive, or is damaged.',
    null,
    'Make it with: tar -czf plan.tgz -C FOLDER .',
  );
}

function checkType({ type, name }: TarHeader): void {
  if (type === undefined || type === 'file' || type === 'directory') return;
  if (type === 'symlink') throw refuse(`It holds a symbolic link: ${name}`, name, FOLLOW);
  if (type === 'link')
    throw refuse(`It holds a hard link: ${name}`, name, 'Pack with tar --hard-dereference.');
  throw refuse(`It holds something that is neither file nor folder (${type}): ${name}`, name);
}

function refuse(message: string, entry: string | null, hint?: string): ApiError {
  return new ApiError('invalid_bundle', message, {
    ...(hint === undefined ? {} : { hint }),
    details: entry === null ? {} : { entry },
  });
}
