import type { Placeholder } from './find-placeholders.ts';

/** Where in a bash command a placeholder stands, which decides how its value is written there. */
export type QuotingContext =
  | { readonly kind: 'bare' }
  | { readonly kind: 'double_quotes' }
  | { readonly kind: 'single_quotes' }
  | { readonly kind: 'ansi_c_quotes' }
  | { readonly kind: 'heredoc' }
  | { readonly kind: 'quoted_heredoc' }
  | { readonly kind: 'comment' }
  /** Bash evaluates what stands here as arithmetic, and arithmetic can run commands: `a[$(id)]`. */
  | { readonly kind: 'integer'; readonly in_test: boolean }
  | { readonly kind: 'unsafe'; readonly why: string; readonly hint: string };

/** A here-document; its operator and its body are apart in the text. */
export interface Heredoc {
  readonly delimiter: string;
  readonly quoted: boolean;
  /** `<<-`: bash removes leading tabs of every line. */
  readonly strips_tabs: boolean;
}

/** A command cut up in the order of its text. */
export type CommandPart =
  | { readonly kind: 'text'; readonly text: string }
  | PlaceholderPart
  | {
      readonly kind: 'backticks';
      readonly parts: readonly CommandPart[];
      readonly source: string;
      readonly in_double_quotes: boolean;
    }
  | { readonly kind: 'heredoc_operator'; readonly heredoc: Heredoc; readonly source: string }
  | {
      readonly kind: 'heredoc_body';
      readonly heredoc: Heredoc;
      readonly parts: readonly CommandPart[];
      /** The closing line as written, with its line end; empty when the body runs to the end. */
      readonly closing: string;
    };

/** A placeholder with the place it stands in. */
export interface PlaceholderPart {
  readonly kind: 'placeholder';
  readonly placeholder: Placeholder;
  /** Offset in the whole command, also for a placeholder inside backticks. */
  readonly offset: number;
  context: QuotingContext;
  /** An unescaped backslash stands before it, which would escape the first character of the value. */
  readonly after_backslash: boolean;
}

/** Why bash could not read a command to its end. */
export interface CommandProblem {
  readonly what: string;
  /** Offset in the command of what was opened and never closed. */
  readonly offset: number;
}
