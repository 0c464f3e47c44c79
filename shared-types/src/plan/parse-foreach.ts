import { toWellFormedJson } from '../well-formed.ts';
import type { Foreach } from './plan.ts';

/** `path:jsonpath`, a path alone, or a JSON array; null when it is none of these. */
export function parseForeach(text: string): Foreach | null {
  const trimmed = text.trim();
  if (trimmed.startsWith('[')) return parseItems(trimmed);
  if (trimmed === '' || /\s/.test(trimmed)) return null;
  const colon = findColon(trimmed);
  const path = colon === -1 ? trimmed : trimmed.slice(0, colon);
  const jsonpath = colon === -1 ? '' : trimmed.slice(colon + 1);
  return path === '' ? null : { path, jsonpath: jsonpath === '' ? null : jsonpath };
}

function parseItems(text: string): Foreach | null {
  try {
    const items = toWellFormedJson(JSON.parse(text));
    return Array.isArray(items) ? { items } : null;
  } catch {
    return null;
  }
}

/** The colon between path and jsonpath; the one of `{NAME:raw}` is inside braces. */
function findColon(text: string): number {
  let depth = 0;
  for (let at = text.length - 1; at >= 0; at -= 1) {
    const char = text[at];
    if (char === '}') depth += 1;
    else if (char === '{') depth -= 1;
    else if (char === ':' && depth === 0) return at;
    else if (char === '/' && depth === 0) return -1;
  }
  return -1;
}

/** The same for every way of writing the same list. */
export function listIdentity(foreach: Foreach): string {
  if ('items' in foreach) return `items ${JSON.stringify(foreach.items)}`;
  return `file ${JSON.stringify([batchPath(foreach.path) ?? foreach.path, plainJsonpath(foreach.jsonpath)])}`;
}

function plainJsonpath(jsonpath: string | null): string {
  return (jsonpath ?? '').replace(/^\$\.?/, '').replace(/^([^*]*)\[\*\]$/, '$1');
}

/** A path relative to the batch folder; null for a path elsewhere. */
export function batchPath(path: string): string | null {
  const relative = path
    .replace(/^\{PLAN_PATH\}\/history\/\{BATCH_ID\}(?=\/|$)/, '{BATCH_PATH}')
    .replace(/^\{BATCH_PATH\}(?:\/|$)/, './')
    .replace(/\/{2,}/g, '/');
  if (relative.startsWith('/') || /^\{[A-Z]/.test(relative)) return null;
  return relative.replace(/^(?:\.\/)+/, '').replaceAll('/./', '/');
}
