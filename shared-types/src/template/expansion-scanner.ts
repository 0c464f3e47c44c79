import type { QuotingContext } from './command-parts.ts';
import { ScanState } from './scan-state.ts';

/** Why no value can stand there: bash expands what it inserts once more. */
export const IN_PARAMETER = 'inside a $ with braces';

const inParameter: QuotingContext = {
  kind: 'unsafe',
  why: IN_PARAMETER,
  hint: 'Assign it first (value={NAME}) and use "$value" there.',
};

/** Reads quotes and everything that starts with a dollar. */
export abstract class ExpansionScanner extends ScanState {
  /** Starts of `((` that turned out to be two parentheses: read once only, else nesting doubles the work. */
  protected readonly notArithmetic = new Set<number>();

  /** A fresh command up to its closing parenthesis. */
  protected abstract scanSubstitution(start: number): void;

  /** A command between backticks. */
  protected abstract scanBackticks(in_double_quotes: boolean): void;

  /** What starts with a quote, a backslash, a backtick or a dollar. False when nothing such is here. */
  protected scanQuoted(within: 'bare' | 'double_quotes' | 'heredoc'): boolean {
    const start = this.position;
    const char = this.text[start];
    const next = this.text[start + 1];
    if (char === '\\') {
      this.position = Math.min(start + 2, this.limit);
    } else if (char === '`') {
      this.scanBackticks(within === 'double_quotes');
    } else if (char === "'" && within === 'bare') {
      this.scanUntil("'", { kind: 'single_quotes' }, 'a single quote', start, start + 1);
    } else if (char === '"' && within !== 'heredoc') {
      this.scanDoubleQuotes(start, start + 1);
    } else if (char !== '$') {
      return false;
    } else if (next === "'" && within === 'bare') {
      this.scanUntil("'", { kind: 'ansi_c_quotes' }, "a quote $'", start, start + 2);
    } else if (next === '"' && within === 'bare') {
      this.scanDoubleQuotes(start, start + 2);
    } else if (next === '{') {
      this.scanParameter(start);
    } else if (next === '[') {
      this.scanOldArithmetic(start);
    } else if (next === '(') {
      if (!(this.text[start + 2] === '(' && this.scanArithmetic(start, start + 3))) {
        this.position = start + 2;
        this.scanSubstitution(start);
      }
    } else {
      // `$#` and `$$` are parameters, not the start of a comment or of another expansion.
      this.position += next === '#' || next === '$' ? 2 : 1;
    }
    return true;
  }

  private scanUntil(
    close: string,
    context: QuotingContext,
    what: string,
    opened: number,
    from: number,
  ): void {
    this.position = from;
    while (this.position < this.limit) {
      if (this.text[this.position] === close) {
        this.position += 1;
        return;
      }
      if (this.takePlaceholder(context) !== null) continue;
      this.position += context.kind === 'ansi_c_quotes' && this.text[this.position] === '\\' ? 2 : 1;
    }
    this.position = this.limit;
    this.fail(what, opened);
  }

  private scanDoubleQuotes(opened: number, from: number): void {
    this.enter();
    this.position = from;
    while (this.position < this.limit) {
      if (this.text[this.position] === '"') {
        this.position += 1;
        this.leave();
        return;
      }
      if (this.takePlaceholder({ kind: 'double_quotes' }) !== null) continue;
      if (!this.scanQuoted('double_quotes')) this.position += 1;
    }
    this.fail('a double quote', opened);
    this.leave();
  }

  private scanParameter(opened: number): void {
    this.enter();
    const override = this.override;
    this.override = inParameter;
    this.position = opened + 2;
    for (;;) {
      if (this.position >= this.limit) {
        this.fail('a brace ${', opened);
        break;
      }
      if (this.takePlaceholder(inParameter) !== null) continue;
      if (this.text[this.position] === '}') {
        this.position += 1;
        break;
      }
      // Single quotes quote here even within double quotes: bash refuses "${x:-it's}".
      if (!this.scanQuoted('bare')) this.position += 1;
    }
    this.override = override;
    this.leave();
  }

  private scanOldArithmetic(opened: number): void {
    this.enter();
    const override = this.override;
    this.override ??= { kind: 'integer', in_test: false };
    this.position = opened + 2;
    let depth = 1;
    while (this.position < this.limit && depth > 0) {
      if (this.takePlaceholder({ kind: 'integer', in_test: false }) !== null) continue;
      const char = this.text[this.position];
      if (char === '[') depth += 1;
      if (char === ']') depth -= 1;
      if (!this.scanQuoted('bare')) this.position += 1;
    }
    if (depth > 0) this.fail('a bracket $[', opened);
    this.override = override;
    this.leave();
  }

  /** `((...))`. False, with nothing taken, when these are two parentheses of commands. */
  protected scanArithmetic(opened: number, from: number): boolean {
    if (this.notArithmetic.has(opened)) return false;
    this.enter();
    const saved = {
      position: this.position,
      parts: this.parts.length,
      placeholders: this.placeholders.length,
      textStart: this.textStart,
      problem: this.problem,
      override: this.override,
    };
    this.override ??= { kind: 'integer', in_test: false };
    this.position = from;
    const found = this.scanToDoubleParenthesis();
    this.override = saved.override;
    this.leave();
    if (found) return true;
    this.notArithmetic.add(opened);
    this.position = saved.position;
    this.parts.length = saved.parts;
    this.placeholders.length = saved.placeholders;
    this.textStart = saved.textStart;
    this.problem = saved.problem;
    return false;
  }

  private scanToDoubleParenthesis(): boolean {
    let depth = 0;
    while (this.position < this.limit) {
      if (this.takePlaceholder({ kind: 'integer', in_test: false }) !== null) continue;
      const char = this.text[this.position];
      if (char === '(') depth += 1;
      if (char === ')' && depth === 0) {
        if (this.text[this.position + 1] !== ')') return false;
        this.position += 2;
        return true;
      }
      if (char === ')') depth -= 1;
      if (!this.scanQuoted('bare')) this.position += 1;
    }
    return false;
  }
}
