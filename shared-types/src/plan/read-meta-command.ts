import type { FieldReader } from './field-reader.ts';
import { findNearestName } from './find-nearest-name.ts';
import { inferTaskClass } from './infer-task-class.ts';
import { type MetaAction, metaActions, type TaskClass } from './plan.ts';
import type { TextChange } from './repair-json.ts';
import { insertFieldAfter, type SourceEdit } from './source-edits.ts';

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
    reader.invalid('command', `Meta tasks load and unload models. ${better}`, {
      hint: better,
      edits: replaceCommand(reader, command),
    });
  }
  return { is_meta: true, action: action ?? null, invalid: action === undefined };
}

/** Where the newer words say the same. What a command without them was to do is not known. */
function replaceCommand(reader: FieldReader, command: string): SourceEdit[] | undefined {
  const written = command.toLowerCase();
  if (written === 'unload_split_llm') return reader.change('command', [change(command, 'unload_llm')]);
  const placement = reader.place('llm_placement');
  const own = reader.place('command');
  if (/^load_(?:split_llm|llm_split)$/.test(written) && placement === null && own !== null) {
    const edits = reader.change('command', [change(command, 'load_llm')]);
    return edits && [...edits, insertFieldAfter(reader.source, own, '**llm_placement**: split_gpu')];
  }
  const nearest = findNearestName(written, metaActions);
  if (nearest !== undefined) return reader.change('command', [change(command, nearest)]);
  const stated = reader.text('task_class');
  if (!/\s/.test(command) || reader.text('type') !== null || stated === null) return undefined;
  return reader.change('task_class', [change(stated, inferTaskClass(command))]);
}

function change(written: string, replacement: string): TextChange {
  return { at: 0, written, replacement };
}
