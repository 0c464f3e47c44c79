import type { Page } from '@planfleet/shared-types';

/** A page from rows that were read with one more than `limit`: the one too many tells that there are more. */
export function toPage<Row, View>(
  rows: readonly Row[],
  limit: number,
  toView: (row: Row) => View,
  toCursor: (row: Row) => string,
): Page<View> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(toView),
    next_cursor: rows.length > limit && last !== undefined ? toCursor(last) : null,
  };
}
