import { parseForeach } from './parse-foreach.ts';
import { repairJson, type TextChange } from './repair-json.ts';

/** The changes that make a `foreach` of what is nearly one: spaces around the colon, nearly JSON, a bare list. */
export function repairForeach(text: string): TextChange[] | null {
  if (text.trimStart().startsWith('[')) return repairJson(text);
  const joined = text.replace(/\s*:\s*(?=[$\w.]*$)/, ':').trim();
  const words = text.split(',').map((word) => word.trim());
  const isList = words.length > 1 && words.every((word) => /^[^\s"'`{}[\]\\/]+$/.test(word));
  const better = isList ? JSON.stringify(words) : joined;
  return parseForeach(better) === null || better === text
    ? null
    : [{ at: 0, written: text, replacement: better }];
}
