import type { PlanTask } from './plan.ts';
import type { DeclaredDependencies } from './read-dependencies.ts';
import type { NearField, RawField } from './read-fields.ts';

/** A task with what only the checks need: the fields as written and the offsets of things. */
export interface TaskDraft {
  readonly task: PlanTask;
  readonly offset: number;
  /** Of the id in the heading. */
  readonly id_offset: number;
  /** Fields that are written, but misspelled or in a place where they do not count: reported there. */
  readonly meant: ReadonlySet<string>;
  readonly unknown: readonly { readonly field: RawField; readonly suggest: string | undefined }[];
  /** Behind prose that ended the field list. */
  readonly late: readonly RawField[];
  readonly near: readonly NearField[];
  readonly fields: ReadonlyMap<string, RawField>;
  readonly dependencies: DeclaredDependencies;
  /** A `foreach` is written, though its value may be invalid. */
  readonly has_foreach: boolean;
  /** The class was guessed because nothing was written, not because the value was invalid. */
  readonly task_class_missing: boolean;
  /** The older system's meta command was reported already. */
  readonly meta_command_invalid: boolean;
}
