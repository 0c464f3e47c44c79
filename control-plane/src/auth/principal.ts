import type { Scope } from '@planfleet/shared-types';

/** Who asks, as the token says. */
export interface Principal {
  readonly subject: string;
  readonly jti: string;
  readonly scopes: ReadonlySet<Scope>;
  /** The one agent name that an agent token may use; null: any. */
  readonly agent: string | null;
  /** Globs of the plan names that a submit token may run; null: any. */
  readonly plans: readonly string[] | null;
}
