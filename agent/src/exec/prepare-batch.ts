import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { InputBinding, PathReference } from '@planfleet/shared-types';
import { type Attempt, AttemptError } from './attempt.ts';
import { fetchBlob } from './fetch-blob.ts';
import { folderExists, placeFolder } from './place-folder.ts';
import { fetchAndUnpack, placePlan } from './prepare-plan.ts';

const FOLDERS = ['results', 'output', 'logs', 'inputs'];

/** `{BATCH_PATH}` with its folders, what travels to it, and the values of all variables. */
export async function prepareBatch(attempt: Attempt): Promise<void> {
  const { spec, task } = attempt;
  attempt.batch_path = await makeBatchFolders(attempt, attempt.plan_path, spec.batch_id);
  const variables: Record<string, string> = {};
  for (const [name, binding] of Object.entries(spec.inputs)) {
    variables[name] = await placeInput(attempt, name, binding);
  }
  // Last: an input of the same name does not hide what planfleet sets.
  variables.PLAN_PATH = attempt.plan_path;
  variables.BATCH_PATH = attempt.batch_path;
  variables.BATCH_ID = spec.batch_id;
  attempt.values = spec.has_list ? { variables, item: task.item, item_index: task.ordinal } : { variables };
}

async function makeBatchFolders({ shop }: Attempt, plan_path: string, batch_id: string): Promise<string> {
  const path = join(plan_path, 'history', batch_id);
  if (!shop.made.has(path) || !(await folderExists(path))) {
    for (const folder of FOLDERS) await mkdir(join(path, folder), { recursive: true });
    shop.made.add(path);
  }
  return path;
}

/** A path of another batch, made here where it is not: a child may be the first to run on the machine. */
async function placeReference(attempt: Attempt, reference: PathReference): Promise<string> {
  const plan_path = await placePlan(attempt, reference);
  const { batch_id } = reference;
  return batch_id === null
    ? plan_path
    : makeBatchFolders(attempt, plan_path, safeName(batch_id, 'of the parent'));
}

/** Brings an input to this machine where it travels; returns the value of its variable. */
async function placeInput(attempt: Attempt, name: string, binding: InputBinding): Promise<string> {
  switch (binding.kind) {
    case 'value':
      return binding.value;
    case 'file': {
      const file = safeName(binding.file_name, name);
      const folder = inputFolder(attempt, name);
      await placeOnce(attempt, folder, (draft, signal) =>
        fetchBlob(attempt.shop, binding.sha256, join(draft, file), `The input ${name}`, signal),
      );
      return join(folder, file);
    }
    case 'folder': {
      const folder = inputFolder(attempt, name);
      await placeOnce(attempt, folder, (draft, signal) =>
        fetchAndUnpack(attempt, binding.sha256, draft, `The input ${name}`, signal),
      );
      return folder;
    }
    case 'output_file': {
      const path = outputPath(attempt, name, binding.path);
      await mkdir(dirname(path), { recursive: true });
      return path;
    }
    case 'output_folder': {
      const path = outputPath(attempt, name, binding.path);
      // The folder itself too: programs that write into a folder rarely make it.
      await mkdir(path, { recursive: true });
      return path;
    }
    case 'parent_path': {
      const parts: string[] = [];
      for (const part of binding.parts)
        parts.push(typeof part === 'string' ? part : await placeReference(attempt, part));
      return parts.join('');
    }
  }
}

async function placeOnce(
  attempt: Attempt,
  folder: string,
  fill: (draft: string, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { shop } = attempt;
  if (!(await folderExists(folder))) {
    await shop.shared.run(`input ${folder}`, attempt.ending.signal, (signal) =>
      placeFolder(folder, (draft) => fill(draft, signal)),
    );
  }
}

function inputFolder(attempt: Attempt, name: string): string {
  return join(attempt.batch_path, 'inputs', safeName(name, name));
}

function safeName(fileName: string, input: string): string {
  if (/^\.{0,2}$/.test(fileName) || /[/\0]/.test(fileName)) {
    throw new AttemptError(
      'definition',
      `The input ${input} has a file name that cannot be used: ${JSON.stringify(fileName)}`,
    );
  }
  return fileName;
}

function outputPath(attempt: Attempt, input: string, path: string): string {
  const steps = path.split('/');
  if (path === '' || path.startsWith('/') || steps.includes('..') || path.includes('\0')) {
    throw new AttemptError(
      'definition',
      `The output ${input} has a path that leads out of the batch: ${JSON.stringify(path)}`,
    );
  }
  return join(attempt.batch_path, 'output', path);
}
