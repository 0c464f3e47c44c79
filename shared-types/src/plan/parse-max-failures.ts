/** How many items of a foreach task may be abandoned. */
export type MaxFailures = { readonly count: number } | { readonly percent: number };

/** `5` or `10%`; null when it is neither. */
export function parseMaxFailures(text: string): MaxFailures | null {
  const match = /^(\d{1,9}(?:\.\d{1,6})?)\s*(%?)$/.exec(text.trim());
  if (match === null) return null;
  const amount = Number(match[1]);
  if (match[2] === '%') return amount <= 100 ? { percent: amount } : null;
  return Number.isInteger(amount) ? { count: amount } : null;
}
