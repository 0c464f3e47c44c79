/** 9999-12-31T23:59:59.999Z. An agent's clock says what it likes, and later times have no ISO form that all read. */
const LAST_MS = 253_402_300_799_999;

/** Stored times are ms since 1970, those that people see ISO 8601 in UTC. */
export function toIso(ms: number): string {
  return new Date(Math.min(ms, LAST_MS)).toISOString();
}

export function toIsoOrNull(ms: number | null): string | null {
  return ms === null ? null : toIso(ms);
}
