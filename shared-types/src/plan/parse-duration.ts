const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `20m`, `6h`, `1h30m` in milliseconds; null when it is no duration above zero. */
export function parseDuration(text: string): number | null {
  const trimmed = text.trim().toLowerCase();
  const unit = 's(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:rs?|ours?)?|d(?:ays?)?';
  if (!new RegExp(`^(?:\\d{1,9}(?:\\.\\d{1,9})?\\s*(?:${unit})\\s*)+$`).test(trimmed)) return null;
  let total = 0;
  for (const match of trimmed.matchAll(/([\d.]+)\s*([a-z])/g)) {
    total += Number(match[1]) * (units[match[2] ?? ''] ?? 0);
  }
  const rounded = Math.round(total);
  return Number.isSafeInteger(rounded) && rounded > 0 ? rounded : null;
}
