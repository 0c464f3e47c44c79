/**
 * A plan as its author wrote it, whether it was registered or came with the submission. Pure data: `store/` and
 * `routes/` bring it, `plan/` makes a batch of it.
 */
export interface PlanVersion {
  /** The name that it is registered by; null: it came with the submission. */
  readonly name: string | null;
  /** Null: not registered. */
  readonly version: number | null;
  /** sha256 of the bundle, or of plan.md where there is none. */
  readonly digest: string;
  /** The blob that agents unpack; null: the plan is its plan.md alone. */
  readonly bundle: string | null;
  readonly markdown: string;
  /** Paths in the bundle. Of a plan.md alone nothing is known of the folder. */
  readonly files: readonly string[] | null;
}
