import type { InputBinding, PlanInput, Upload } from '@planfleet/shared-types';
import { type Issue, invalid } from '../invalid.ts';

export interface GivenInputs {
  readonly config: Readonly<Record<string, string>>;
  readonly uploads: Readonly<Record<string, Upload>>;
}

/** A name on every file system, also for those who download it. */
const MAX_NAME_LENGTH = 100;

/**
 * What each input of the plan stands for in this batch. Names and missing values were already checked with the
 * plan; this tells everything that is wrong with the uploads and the outputs, at once.
 */
export function bindInputs(inputs: readonly PlanInput[], given: GivenInputs): Record<string, InputBinding> {
  const issues: Issue[] = [];
  const bindings = new Map<string, InputBinding>();
  const outputs = new Map<string, string>();
  for (const input of inputs) {
    const upload = own(given.uploads, input.name);
    const value = own(given.config, input.name) ?? input.default ?? '';
    if (upload !== undefined) {
      if (upload.kind === input.kind) bindings.set(input.name, toUploadBinding(upload));
      else issues.push({ path: `uploads.${input.name}`, message: refuseUpload(input, upload) });
    } else if (input.kind === 'output_file' || input.kind === 'output_folder') {
      const path = safeBaseName(value, input.name);
      const other = outputs.get(path);
      if (other !== undefined) {
        const message = `It would be written to output/${path}, and so would ${other}. Give one another name.`;
        issues.push({ path: `config.${input.name}`, message });
      }
      outputs.set(path, input.name);
      bindings.set(input.name, { kind: input.kind, path });
    } else bindings.set(input.name, { kind: 'value', value });
  }
  if (issues.length > 0) throw invalid(issues);
  return Object.fromEntries(bindings);
}

function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function toUploadBinding({ kind, sha256, name }: Upload): InputBinding {
  return kind === 'file' ? { kind, sha256, file_name: safeBaseName(name, 'file') } : { kind, sha256 };
}

function refuseUpload(input: PlanInput, upload: Upload): string {
  if (input.kind === 'file' || input.kind === 'folder') {
    return `The plan wants a ${input.kind} here, not a ${upload.kind}.`;
  }
  if (input.kind === 'value')
    return 'This input is a plain value; mark it in the plan with (file) or (folder).';
  return 'The plan writes this itself, so that nothing is sent for it.';
}

/** The last name of a path, of whatever system, with only what no file system and no shell minds. */
export function safeBaseName(path: string, otherwise: string): string {
  const base = path.split(/[/\\]/).findLast((part) => part !== '' && part !== '.' && part !== '..') ?? '';
  const safe = base.replace(/[\p{Cc}\p{Cs}:*?"<>|]/gu, '_').replace(/^[\s-]+|[\s.]+$/g, '');
  // By code point, so that no character is cut in two.
  const short = [...safe].slice(-MAX_NAME_LENGTH).join('');
  return short === '' ? otherwise : short;
}
