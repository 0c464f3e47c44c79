import { findNearestName } from './find-nearest-name.ts';
import { parseDuration } from './parse-duration.ts';

/** Words that people write for a choice of the plan format. */
const choiceWords: Readonly<Record<string, string>> = {
  agent: 'worker',
  gpu: 'script',
  cuda: 'script',
  python: 'script',
  shell: 'cpu',
  bash: 'cpu',
  none: 'cpu',
  model: 'llm',
  text: 'generate',
  generation: 'generate',
  extract: 'parse',
  command: 'shell',
  subplan: 'execute_plan',
  load: 'load_llm',
  unload: 'unload_llm',
  split: 'split_gpu',
  single: 'single_gpu',
};
const numberWords = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];
const levels: Readonly<Record<string, number>> = {
  lowest: 1,
  low: 2,
  normal: 5,
  medium: 5,
  high: 8,
  highest: 10,
};

/** The choice that was meant, or null. */
export function nearestChoice(text: string, choices: readonly string[]): string | null {
  const word = text.toLowerCase().replace(/[\s-]+/g, '_');
  const known = [word, choiceWords[word] ?? ''].find((each) => choices.includes(each));
  return known ?? findNearestName(word, choices) ?? null;
}

/** The number that was meant, brought into its range; null when the text holds none, or more than one. */
export function nearestNumber(text: string, least: number, most: number, whole: boolean): string | null {
  const word = text.toLowerCase().trim();
  const named = numberWords.indexOf(word);
  const numbers =
    word.replaceAll(/(\d),(?=\d)/g, whole ? '$1' : '$1.').match(/-?\d{1,9}(?:\.\d{1,9})?/g) ?? [];
  const written = numbers.length === 1 ? Number(numbers[0]) : null;
  const amount = named >= 0 ? named : (levels[word] ?? written);
  if (amount === null || (levels[word] !== undefined && most !== 10)) return null;
  return String(Math.max(least, Math.min(most, whole ? Math.round(amount) : amount)));
}

/** `5 minuts`, `1:30:00`, `20m.`; null where even the unit is a guess. */
export function nearestDuration(text: string): string | null {
  const clock = /^(\d{1,3}):([0-5]\d):([0-5]\d)$/.exec(text.trim());
  if (clock !== null) {
    const parts = [`${Number(clock[1])}h`, `${Number(clock[2])}m`, `${Number(clock[3])}s`];
    return keepDuration(parts.filter((part) => !/^0[hms]$/.test(part)).join(''));
  }
  const match = /^~?\s*(\d{1,9}(?:\.\d{1,9})?)\s*([a-z]+)\.?$/i.exec(text.trim());
  if (match === null) return null;
  const units = ['seconds', 'secs', 'minutes', 'mins', 'hours', 'hrs', 'days'];
  const word = (match[2] ?? '').toLowerCase();
  const unit = parseDuration(`1${word}`) === null ? findNearestName(word, units) : word;
  return unit === undefined ? null : keepDuration(`${match[1]}${unit.charAt(0)}`);
}

function keepDuration(text: string): string | null {
  return parseDuration(text) === null ? null : text;
}

/** `ten`, `5 items`, `10 percent`, `200%`. */
export function nearestMaxFailures(text: string): string | null {
  const word = text.toLowerCase().trim();
  if (word === 'all' || word === 'any') return '100%';
  if (word === 'none') return '0';
  const percent = /^(\d{1,9}(?:\.\d{1,6})?)\s*(?:%|percent|per cent)/.exec(word);
  if (percent !== null) return `${Math.min(100, Number(percent[1]))}%`;
  // A fraction may be a share of the items or a slip: nobody knows.
  return /\d\.\d/.test(word) ? null : nearestNumber(word, 0, 999_999_999, true);
}

/** `2,000 MB`, `4 G`, `4 gigabytes`. */
export function nearestMegabytes(text: string): string | null {
  const match = /^~?\s*([\d,]{1,12}(?:\.\d{1,3})?)\s*(m|g|mb|gb|megabytes?|gigabytes?)\.?$/i.exec(
    text.trim(),
  );
  if (match === null) return null;
  const amount = Number(match[1]?.replaceAll(',', ''));
  const megabytes = Math.round(amount * (/^g/i.test(match[2] ?? '') ? 1024 : 1));
  return megabytes >= 1 ? String(megabytes) : null;
}
