const MAX_LENGTH = 120;

/** What a log may be named: letters and digits of any language; never `~`, which tells logs of the same name apart. */
export const LOG_NAME = /^[\p{L}\p{M}\p{N}._@+=,-]{1,120}$/u;

/** The name of a task as part of the path of its log; other characters become `_`. */
export function logName(name: string): string {
  const safe = [...name.replace(/[^\p{L}\p{M}\p{N}._@+=,-]+/gu, '_')].slice(0, MAX_LENGTH).join('');
  return safe === '' ? '_' : safe;
}
