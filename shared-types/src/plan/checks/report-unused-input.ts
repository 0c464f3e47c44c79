import { joinLines } from '../field-value.ts';
import type { PlanInput } from '../plan.ts';
import type { PlanDraft } from '../read-plan.ts';
import { allEdits, removeLines } from '../source-edits.ts';

/** Where the names of inputs stand besides the placeholders that count. */
export interface Mentions {
  /** Offsets of the name anywhere in the plan. */
  readonly anywhere: ReadonlyMap<string, readonly number[]>;
  /** Names in braces in fields that do not count because of their own name or place, which is reported. */
  readonly ignored: ReadonlySet<string>;
  /** Bullets of the inputs, from start to end. */
  readonly bullets: ReadonlyMap<string, { readonly offset: number; readonly end: number }>;
}

export function indexMentions(draft: PlanDraft): Mentions {
  const { text } = draft.source;
  const bullets = new Map(draft.inputs.map((input) => [input.name, input]));
  const anywhere = new Map<string, number[]>();
  for (const match of text.matchAll(/(?<!\w)[A-Z][A-Z0-9_]*(?!\w)/g)) {
    const offsets = anywhere.get(match[0]) ?? [];
    offsets.push(match.index);
    if (bullets.has(match[0])) anywhere.set(match[0], offsets);
  }
  const ignored = draft.tasks.flatMap(({ unknown, late, near }) => [
    ...[...unknown.map(({ field }) => field), ...late].map(({ value }) => joinLines(value).text),
    ...near.map(({ edit }) => text.slice(edit.end, edit.end + 2_000).split(/[\r\n]/, 1)[0] ?? ''),
  ]);
  const names = ignored.flatMap((line) =>
    Array.from(line.matchAll(/\{([A-Z][A-Z0-9_]*)\}/g), (match) => match[1] ?? ''),
  );
  return { anywhere, ignored: new Set(names), bullets };
}

/** An input that no task and no Setup uses, unless something that is reported already would use it. */
export function reportUnused(draft: PlanDraft, { name }: PlanInput, mentions: Mentions): void {
  const bullet = mentions.bullets.get(name);
  if (bullet === undefined || draft.tasks.length === 0 || mentions.ignored.has(name)) return;
  // It may have lost its braces there.
  const mention = mentions.anywhere
    .get(name)
    ?.find((offset) => offset < bullet.offset || offset >= bullet.end);
  // With errors in the plan, what would use it may be missing, misspelled or not read.
  const removable = mention === undefined && !draft.found.hasErrors();
  draft.found.add({
    severity: 'warning',
    rule: 'unused_input',
    subject: name,
    message: `No task and no Setup uses {${name}}.`,
    offset: bullet.offset,
    hint:
      mention === undefined
        ? `Use {${name}} in a command, or remove it.`
        : `Write {${name}} in line ${draft.source.positionAt(mention).line}, if it is meant there; or remove it.`,
    edits: removable ? allEdits(removeLines(draft.source, bullet.offset, bullet.end)) : undefined,
  });
}
