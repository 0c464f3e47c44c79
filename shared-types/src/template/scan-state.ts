import type { CommandPart, CommandProblem, PlaceholderPart, QuotingContext } from './command-parts.ts';
import { findPlaceholders, type Placeholder } from './find-placeholders.ts';

// Deeper nesting than any person writes, and far from the end of the stack.
const deepestNesting = 100;

/** Thrown within a scan, and caught at its top. */
export class TooDeepError extends Error {}

/** Where a scan of a command stands, and what it has cut off so far. */
export abstract class ScanState {
  protected readonly text: string;
  protected readonly offsetOf: (offset: number) => number;
  protected depth: number;
  protected readonly placeholderAt: ReadonlyMap<number, Placeholder>;
  protected position = 0;
  /** The end of what may be read: shorter than the text inside a here-document. */
  protected limit: number;
  protected parts: CommandPart[] = [];
  protected textStart = 0;
  protected placeholders: PlaceholderPart[] = [];
  protected problem: CommandProblem | null = null;
  /** What holds for every placeholder around here, whatever its quotes. */
  protected override: QuotingContext | null = null;

  constructor(text: string, offsetOf: (offset: number) => number, depth: number) {
    this.text = text;
    this.offsetOf = offsetOf;
    this.depth = depth;
    this.limit = text.length;
    this.placeholderAt = new Map(
      findPlaceholders(text).map((placeholder) => [placeholder.start, placeholder]),
    );
  }

  protected enter(): void {
    this.depth += 1;
    if (this.depth > deepestNesting) throw new TooDeepError();
  }

  protected leave(): void {
    this.depth -= 1;
  }

  protected fail(what: string, offset: number): void {
    this.problem ??= { what, offset: this.offsetOf(offset) };
  }

  protected flush(end: number): void {
    if (end > this.textStart) this.parts.push({ kind: 'text', text: this.text.slice(this.textStart, end) });
    this.textStart = end;
  }

  /** Takes the placeholder at the position, or the one behind a backslash there. */
  protected takePlaceholder(context: QuotingContext): PlaceholderPart | null {
    const after_backslash = this.text[this.position] === '\\' && context.kind !== 'single_quotes';
    const placeholder = this.placeholderAt.get(this.position + (after_backslash ? 1 : 0));
    if (placeholder === undefined || placeholder.end > this.limit) return null;
    this.flush(this.position);
    const around = this.override ?? context;
    const part: PlaceholderPart = {
      kind: 'placeholder',
      placeholder,
      offset: this.offsetOf(placeholder.start),
      context: after_backslash ? withBackslash(around, this.text[this.position - 1]) : around,
      after_backslash,
    };
    this.parts.push(part);
    this.placeholders.push(part);
    this.position = placeholder.end;
    this.textStart = placeholder.end;
    return part;
  }
}

/** A backslash right before a bare value is dropped, which must not join a dollar to its quote. */
function withBackslash(context: QuotingContext, before: string | undefined): QuotingContext {
  if (context.kind === 'integer' || (context.kind === 'bare' && before === '$')) {
    return { kind: 'unsafe', why: 'behind a backslash', hint: 'Remove the backslash.' };
  }
  return context;
}
