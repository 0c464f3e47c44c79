import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { InputBinding } from '@planfleet/shared-types';
import { type Attempt, AttemptError } from './attempt.ts';
import { fetchBlob } from './fetch-blob.ts';
import { folderExists, placeFolder } from './place-folder.ts';
import { fetchAndUnpack } from './prepare-plan.ts';

const FOLDERS = ['results', 'output', 'logs', 'inputs'];

/** `{BATCH_PATH}` with its folders, what travels to it, and the values of all variables. */
export async function prepareBatch(attempt: Attempt): Promise<void> {
  const { shop, spec, task } = attempt;
  attempt.batch_path = join(attempt.plan_path, 'history', spec.batch_id);
  if (!shop.made.has(attempt.batch_path) || !(await folderExists(attempt.batch_path))) {
    for (const folder of FOLDERS) await mkdir(join(attempt.batch_path, folder), { recursive: true });
    shop.made.add(attempt.batch_path);
  }
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
