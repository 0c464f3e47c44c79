/** `3 tasks`, `1 task`. */
export function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** ISO 8601, for people and programs alike. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

export function sinceText(from: number, now: number): string {
  return `since ${timeText(from)} (${durationText(now - from)})`;
}

/** As exact as somebody who waits needs it. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3_600)} h`;
}
