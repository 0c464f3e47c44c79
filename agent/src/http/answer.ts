/** What became of a request, decided in one place (`classifyAnswer`). */
export type Answer<T> =
  | { readonly kind: 'ok'; readonly body: T }
  /** Worth another try later. `status` is null when no answer came at all. */
  | {
      readonly kind: 'retry';
      readonly status: number | null;
      readonly message: string;
      readonly retry_after_ms: number | null;
    }
  /** The control plane has decided: the same request again would be answered the same. */
  | { readonly kind: 'final'; readonly status: number; readonly code: string; readonly message: string }
  /** Another agent process has this name now: this one must end its processes and stop. */
  | { readonly kind: 'superseded'; readonly message: string }
  /** This agent speaks a protocol the control plane no longer knows. */
  | { readonly kind: 'too_old'; readonly message: string };

export type Failure = Exclude<Answer<never>, { kind: 'ok' }>;
