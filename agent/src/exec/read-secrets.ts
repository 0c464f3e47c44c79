import { open } from 'node:fs/promises';
import { hostname } from 'node:os';
import { type Attempt, AttemptError, type Workshop } from './attempt.ts';
import { MIN_SECRET_CHARS, SecretMask } from './secret-mask.ts';

const MAX_FILE_BYTES = 1_000_000;

/** What a plan names under `secrets`, from this machine's file. Only what is named is given to a process. */
export async function readSecrets(attempt: Attempt): Promise<void> {
  const { spec, shop } = attempt;
  const named = spec.secrets ?? [];
  const wanted = new Set([...named, ...(spec.setup === null ? [] : (spec.setup_secrets ?? []))]);
  if (wanted.size === 0) return;
  const known = await readSecretsFile(shop.secrets_file, named.length > 0);
  const missing = named.filter((name) => !known.has(name));
  if (missing.length > 0) {
    throw new AttemptError(
      'definition',
      `secrets: ${missing.join(', ')} is not in ${shop.secrets_file} on ${hostname()}; add ${missing.length === 1 ? 'it' : 'them'} there as NAME=value`,
    );
  }
  attempt.secrets = pick(known, named);
  // Setup may do without one that only another task needs.
  attempt.setup_secrets = pick(known, wanted);
  const values = Object.entries(attempt.setup_secrets);
  for (const [name, value] of values) {
    if (value.length < MIN_SECRET_CHARS) warnOfShort(shop, name);
  }
  attempt.mask = new SecretMask(values.map(([, value]) => value));
}

function pick(known: ReadonlyMap<string, string>, names: Iterable<string>): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = known.get(name);
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}

function warnOfShort(shop: Workshop, name: string): void {
  shop.log({
    level: 'warn',
    event: 'short_secret',
    message: `The secret ${name} has fewer than ${MIN_SECRET_CHARS} characters: it is given to tasks, and not hidden in their output`,
  });
}

/** Names and values; a file that is not there holds none, unless one is needed. */
async function readSecretsFile(file: string, isNeeded: boolean): Promise<Map<string, string>> {
  let text: string;
  try {
    // One handle for the look and for the content: another file cannot take its place in between.
    const handle = await open(file, 'r');
    try {
      const { mode, size, uid } = await handle.stat();
      const problem = findFileProblem(mode, size, uid);
      if (problem !== null)
        throw new AttemptError('definition', `secrets: ${file} on ${hostname()} ${problem}`);
      text = await handle.readFile('utf8');
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof AttemptError) throw error;
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (isMissing && !isNeeded) return new Map();
    const reason = isMissing ? 'is not there' : `cannot be read (${String(error)})`;
    throw new AttemptError(
      'definition',
      `secrets: ${file} on ${hostname()} ${reason}; write NAME=value lines into it, readable by the agent alone`,
    );
  }
  return parseSecrets(text, file);
}

function findFileProblem(mode: number, size: number, uid: number): string | null {
  if ((mode & 0o077) !== 0) return 'can be read or written by others: chmod 600 it';
  const own = process.getuid?.() ?? uid;
  if (uid !== own && uid !== 0) return 'belongs to another user';
  return size > MAX_FILE_BYTES ? `is larger than ${MAX_FILE_BYTES} bytes` : null;
}

/** NAME=value or NAME="line\nline", where quotes may hold several lines; `export` in front, and `#` lines. */
const ENTRY =
  /^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\[\s\S])*)"[ \t]*$|'([^']*)'[ \t]*$|(.*)$)/my;
const NOTHING = /^[ \t]*(?:#.*)?$/my;

export function parseSecrets(text: string, file: string): Map<string, string> {
  const secrets = new Map<string, string>();
  const source = text.replaceAll('\r\n', '\n');
  for (let at = 0; at < source.length; ) {
    NOTHING.lastIndex = at;
    ENTRY.lastIndex = at;
    const nothing = NOTHING.exec(source);
    const entry = nothing === null ? ENTRY.exec(source) : null;
    const found = nothing ?? entry;
    if (found === null) {
      const line = source.slice(0, at).split('\n').length;
      // The line itself may be a secret.
      throw new AttemptError('definition', `secrets: line ${line} of ${file} is not NAME=value`);
    }
    const [, name, double, single, bare] = entry ?? [];
    if (name !== undefined)
      secrets.set(name, double?.replace(/\\([\s\S])/g, unescapeChar) ?? single ?? bare?.trim() ?? '');
    at += found[0].length + 1;
  }
  return secrets;
}

function unescapeChar(_: string, char: string): string {
  return char === 'n' ? '\n' : char === 't' ? '\t' : char;
}
