import {
  ApiError,
  configSchema,
  type SubmitFields,
  submitByNameSchema,
  submitFieldsSchema,
} from '@planfleet/shared-types';
import type { HonoRequest } from 'hono';
import type { Deps } from '../../deps.ts';
import { type Issue, invalid, parseInput } from '../request/parse-input.ts';
import { decodeText, readBody } from '../request/read-body.ts';
import { parseJson, readJson } from '../request/read-json.ts';
import { readParameters } from '../request/read-query.ts';
import { readBundle } from './read-bundle.ts';

/** A plan that comes with the request. */
export interface SentPlan {
  readonly kind: 'sent';
  readonly markdown: string;
  /** The tar as it came; null: the plan is its plan.md alone. */
  readonly bundle: Uint8Array<ArrayBuffer> | null;
  /** Paths in the bundle. Of a plan.md alone nothing is known of the folder. */
  readonly files: readonly string[] | null;
  /** Each other plan.md by its folder in the bundle; absent where there is none. */
  readonly plans?: ReadonlyMap<string, string>;
  /** sha256 of the bundle, or of plan.md where there is none. */
  readonly digest: string;
  readonly fields: SubmitFields;
}

/** A plan that was registered before. */
export interface NamedPlan {
  readonly kind: 'named';
  readonly name: string;
  /** Null: the newest one. */
  readonly version: number | null;
  readonly fields: SubmitFields;
}

export type AskedPlan = SentPlan | NamedPlan;

type Tools = Pick<Deps, 'settings' | 'sha256'>;

/** The fields beside the bundle. */
const FIELDS_BYTES = 1 << 20;

/** Reads any form of a submission: a plan that is sent along, or `application/json` with the name of a registered one. */
export async function readSubmission(request: HonoRequest, tools: Tools): Promise<AskedPlan> {
  return mediaType(request) === 'application/json' ? readNamed(request, tools) : readPlan(request, tools);
}

/** Reads `text/markdown` with inputs in the address, or `multipart/form-data` with a bundle. */
export async function readPlan(request: HonoRequest, tools: Tools): Promise<SentPlan> {
  const media = mediaType(request);
  if (media === 'text/markdown') return readMarkdown(request, tools);
  if (media === 'multipart/form-data') return readMultipart(request, tools);
  throw new ApiError(
    'unsupported_media_type',
    `A plan is sent as text/markdown or multipart/form-data, not "${media}".`,
    {
      hint: 'curl -H "Content-Type: text/markdown" --data-binary @plan.md, or curl -F bundle=@plan.tgz',
    },
  );
}

function mediaType(request: HonoRequest): string {
  const [media = ''] = (request.header('content-type') ?? '').toLowerCase().split(';');
  return media.trim();
}

async function readNamed(request: HonoRequest, tools: Tools): Promise<NamedPlan> {
  refuseParameters(request, 'With a registered plan, inputs are the field config: {"INPUT_FOLDER": "/data"}');
  const body = await readJson(request, submitByNameSchema, tools.settings.max_json_bytes);
  const { plan, version, ...fields } = body;
  return { kind: 'named', name: plan, version: version ?? null, fields };
}

async function readMarkdown(request: HonoRequest, tools: Tools): Promise<SentPlan> {
  const { name, priority, ...config } = readParameters(request);
  const fields = parseInput(submitFieldsSchema, {
    ...(name === undefined ? {} : { name }),
    ...(priority === undefined ? {} : { priority: readPriority(priority) }),
    config: parseInput(configSchema, config),
  });
  const markdown = decodeText(await readBody(request, tools.settings.max_markdown_bytes), 'The plan');
  const digest = await tools.sha256(new TextEncoder().encode(markdown));
  return { kind: 'sent', markdown, bundle: null, files: null, digest, fields };
}

function refuseParameters(request: HonoRequest, hint: string): void {
  const parameters = Object.keys(readParameters(request));
  if (parameters.length === 0) return;
  throw invalid(
    parameters.map((path) => ({ path, message: 'Not a parameter here.' })),
    hint,
  );
}

async function readMultipart(request: HonoRequest, tools: Tools): Promise<SentPlan> {
  refuseParameters(
    request,
    'With a bundle, inputs are the field config: -F config=\'{"INPUT_FOLDER": "/data"}\'',
  );
  const { settings } = tools;
  const type = request.header('content-type') ?? '';
  const form = await parseForm(await readBody(request, settings.max_bundle_bytes + FIELDS_BYTES), type);
  const sent = await readFields(form);
  const { bundle, config, uploads, name, priority } = sent;
  if (bundle === undefined)
    throw invalid([{ path: 'bundle', message: 'The field bundle is missing: the tar of the plan folder.' }]);
  if (bundle.length > settings.max_bundle_bytes) {
    throw new ApiError('too_large', `The bundle is larger than ${settings.max_bundle_bytes} bytes.`, {
      hint: 'Data belongs into inputs, which travel beside the bundle.',
      details: { limit: settings.max_bundle_bytes },
    });
  }
  const fields = parseInput(submitFieldsSchema, {
    ...(name === undefined ? {} : { name: decodeText(name, 'name') }),
    ...(priority === undefined ? {} : { priority: readPriority(decodeText(priority, 'priority')) }),
    ...(config === undefined ? {} : { config: parseJson(decodeText(config, 'config'), 'The field config') }),
    ...(uploads === undefined
      ? {}
      : { uploads: parseJson(decodeText(uploads, 'uploads'), 'The field uploads') }),
  });
  const content = await readBundle(bundle, settings);
  return { kind: 'sent', bundle, digest: await tools.sha256(bundle), fields, ...content };
}

async function parseForm(body: Uint8Array<ArrayBuffer>, type: string): Promise<FormData> {
  try {
    return await new Response(body, { headers: { 'content-type': type } }).formData();
  } catch (cause) {
    throw new ApiError('bad_request', 'The body is not valid multipart/form-data.', { cause });
  }
}

const FIELDS = ['bundle', 'config', 'uploads', 'name', 'priority'] as const;
type FieldName = (typeof FIELDS)[number];
/** A body of a million wrong fields needs no million sentences. */
const MAX_ISSUES = 20;

/** Each known field once. Whether curl sent it as text (`-F a=b`) or as a file (`-F a=@b`) does not matter. */
async function readFields(form: FormData): Promise<{ [K in FieldName]?: Uint8Array<ArrayBuffer> }> {
  const issues: Issue[] = [];
  const values = new Map<FieldName, FormDataEntryValue>();
  form.forEach((value, key) => {
    if (issues.length >= MAX_ISSUES) return;
    const name = FIELDS.find((field) => field === key);
    if (name === undefined) {
      issues.push({ path: key.slice(0, 200), message: `Not a field here; there are ${FIELDS.join(', ')}.` });
    } else if (values.has(name)) issues.push({ path: name, message: 'This field is given twice.' });
    else values.set(name, value);
  });
  if (issues.length > 0) throw invalid(issues);
  const fields: { [K in FieldName]?: Uint8Array<ArrayBuffer> } = {};
  for (const [name, value] of values) {
    fields[name] =
      typeof value === 'string' ? new TextEncoder().encode(value) : new Uint8Array(await value.arrayBuffer());
  }
  return fields;
}

function readPriority(text: string): unknown {
  return /^\d{1,3}$/.test(text) ? Number(text) : text;
}
