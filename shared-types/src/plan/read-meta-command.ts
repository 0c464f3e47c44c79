import type { FieldReader } from './field-reader.ts';
import { type MetaAction, metaActions, type TaskClass } from './plan.ts';

/** The older system's way to write a meta task: a class and a command. */
export interface MetaCommand {
  readonly is_meta: boolean;
  readonly action: MetaAction | null;
  readonly invalid: boolean;
}

const replacements: Readonly<Record<string, string>> = {
  load_split_llm: 'Write load_llm, with llm_placement: split_gpu.',
  unload_split_llm: 'Write unload_llm.',
  load_llm_split: 'Write load_llm, with llm_placement: split_gpu.',
  reset_gpu_runtime: 'Remove the task: agents end what is left on a card themselves.',
};

export function readMetaCommand(reader: FieldReader, stated: TaskClass | null): MetaCommand {
  const command = reader.text('command');
  const type = reader.text('type')?.toLowerCase() ?? null;
  if (command === null || (stated !== 'meta' && type !== 'meta') || (type !== null && type !== 'meta')) {
    return { is_meta: false, action: null, invalid: false };
  }
  const action = metaActions.find((known) => known === command.toLowerCase());
  if (action === undefined) {
    const better =
      replacements[command.toLowerCase()] ??
      'Write load_llm or unload_llm; for a shell command, task_class: cpu.';
    reader.invalid('command', `Meta tasks load and unload models. ${better}`);
  }
  return { is_meta: true, action: action ?? null, invalid: action === undefined };
}
