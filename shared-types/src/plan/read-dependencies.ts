import { type Dependency, parseDependencies } from './parse-dependencies.ts';
import type { RawField } from './read-fields.ts';

/** The entries of `depends_on`, each task once. */
export interface DeclaredDependencies {
  readonly all: readonly Dependency[];
  readonly whole: readonly string[];
  readonly per_item: readonly string[];
}

export function readDependencies(field: RawField | undefined): DeclaredDependencies {
  const all = field === undefined ? [] : parseDependencies(field.value);
  const pick = (per_item: boolean) => [
    ...new Set(all.filter((entry) => entry.per_item === per_item).map((entry) => entry.id)),
  ];
  return { all, whole: pick(false), per_item: pick(true) };
}
