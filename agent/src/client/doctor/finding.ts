/** One line of `doctor`. */
export interface Finding {
  readonly name: string;
  /** `failed`: something needed does not work. `info`: a fact that is neither good nor bad. */
  readonly state: 'ok' | 'warning' | 'failed' | 'info';
  readonly detail: string;
  /** What to do. */
  readonly hint?: string;
}

export const ok = (name: string, detail: string): Finding => ({ name, state: 'ok', detail });
export const info = (name: string, detail: string): Finding => ({ name, state: 'info', detail });
export const warning = (name: string, detail: string, hint: string): Finding => ({
  name,
  state: 'warning',
  detail,
  hint,
});
export const failed = (name: string, detail: string, hint: string): Finding => ({
  name,
  state: 'failed',
  detail,
  hint,
});
