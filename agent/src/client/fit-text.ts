import stringWidth from 'string-width';

const segments = new Intl.Segmenter();

/** Columns that a text takes on a terminal: two for an ideograph or emoji, none for a combining mark. */
export function textWidth(text: string): number {
  return stringWidth(text);
}

/** The text, cut between characters so that it takes `width` columns at most; what was cut ends in `…`. */
export function cutToWidth(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  if (width < 1) return '';
  let kept = '';
  let used = 0;
  for (const { segment } of segments.segment(text)) {
    const next = textWidth(segment);
    if (used + next > width - 1) break;
    kept += segment;
    used += next;
  }
  return `${kept}…`;
}
