import { type FieldValue, sourceOffset } from './field-value.ts';
import { splitList } from './split-list.ts';

/** One entry of `depends_on`. */
export interface Dependency {
  readonly id: string;
  /** `transcribe_{ITEM.id}`: on the same item only. */
  readonly per_item: boolean;
  readonly offset: number;
  readonly written: string;
}

/** The entries of `depends_on`, without words for "none". */
export function parseDependencies(value: FieldValue): Dependency[] {
  return splitList(value).flatMap((entry) => {
    if (/^(?:none|nothing|n\/a|-|–|—)$/i.test(entry.text)) return [];
    const match = /^(.+?)_\{ITEM(?:\.[^{}]+)?\}$/.exec(entry.text);
    const offset = sourceOffset(entry, 0);
    return [{ id: match?.[1] ?? entry.text, per_item: match !== null, offset, written: entry.text }];
  });
}
