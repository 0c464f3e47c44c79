/** Why a placeholder could not be filled in. Stable: programs compare these. */
export type TemplateErrorCode =
  | 'unknown_placeholder'
  | 'no_item'
  | 'missing_item_field'
  | 'nul_in_value'
  | 'not_an_integer'
  | 'unsafe_context'
  | 'raw_not_allowed'
  | 'unbalanced_quote';

/** A template that cannot be rendered: which placeholder, why, and what to write instead. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
  readonly code: TemplateErrorCode;
  /** As written, with braces; empty when the command itself is at fault. */
  readonly placeholder: string;
  readonly hint: string | null;

  constructor(code: TemplateErrorCode, placeholder: string, message: string, hint: string | null = null) {
    super(message);
    this.code = code;
    this.placeholder = placeholder;
    this.hint = hint;
  }
}
