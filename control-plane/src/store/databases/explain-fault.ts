/** What SQLite says of the storage beneath it, by the start of its codes (`SQLITE_IOERR_WRITE`). */
const STORAGE_FAULTS: Readonly<Record<string, string>> = {
  SQLITE_FULL: 'The disk of the database is full.',
  SQLITE_IOERR: 'The disk of the database cannot be read or written.',
  SQLITE_CANTOPEN: 'The file of the database cannot be opened.',
};

/** What keeps the database from working; null: it works, and the statement was wrong. */
export type DatabaseFault =
  | { readonly kind: 'locked' }
  /** Nothing that goes away within the patience for a lock. */
  | { readonly kind: 'storage'; readonly message: string };

export function explainFault(error: unknown): DatabaseFault | null {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (/^(?:SQLITE_BUSY|SQLITE_LOCKED|TRANSACTION_BUSY)/.test(code)) return { kind: 'locked' };
  const known = Object.entries(STORAGE_FAULTS).find(([start]) => code.startsWith(start));
  return known === undefined ? null : { kind: 'storage', message: known[1] };
}
