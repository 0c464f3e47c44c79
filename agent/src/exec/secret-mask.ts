/** Shorter ones would hide half of every log, and are guessed at once. */
export const MIN_SECRET_CHARS = 4;
/** What stands for fewer characters of base64 is found in any other text as well. */
const MIN_BASE64_CHARS = 8;

const BASE64_COLUMNS = 76;

const STAR = 0x2a;

/**
 * Hides the values of secrets: every byte of one becomes a `*`, so that offsets stay what they are. Found are
 * the value itself, each line of one with several, and the value in base64, in a URL, in JSON and as shells quote it.
 *
 * It needs no memory of what came before: whether a byte is hidden is decided by the `context` bytes before
 * it and those behind it, up to `openEnd`.
 */
export class SecretMask {
  /** Bytes to read in front of a piece, so that a value which began there is found. */
  readonly context: number;
  readonly #patterns: readonly Buffer[];

  constructor(values: Iterable<string>) {
    const texts = new Set([...values].flatMap((value) => value.split(/\r?\n/)).flatMap(formsOf));
    this.#patterns = [...texts].map((text) => Buffer.from(text));
    this.context = Math.max(0, ...this.#patterns.map((pattern) => pattern.length - 1));
  }

  get isEmpty(): boolean {
    return this.#patterns.length === 0;
  }

  /** Hides what is in `bytes`, in place. */
  apply(bytes: Buffer): void {
    const found: [number, number][] = [];
    for (const pattern of this.#patterns) {
      for (let at = bytes.indexOf(pattern); at !== -1; at = bytes.indexOf(pattern, at + 1))
        found.push([at, at + pattern.length]);
    }
    // Only when all are found: values may overlap.
    for (const [from, to] of found) bytes.fill(STAR, from, to);
  }

  /** Bytes at the end that may be the beginning of a value: not to be shown before more is there. */
  openEnd(bytes: Buffer): number {
    let longest = 0;
    for (const pattern of this.#patterns) {
      for (let length = Math.min(pattern.length - 1, bytes.length); length > longest; length--) {
        if (bytes.compare(pattern, 0, length, bytes.length - length) === 0) longest = length;
      }
    }
    return longest;
  }

  text(text: string): string {
    if (this.isEmpty) return text;
    const bytes = Buffer.from(text);
    this.apply(bytes);
    // Half a character may have been left where a value ended in one.
    return bytes.toString();
  }
}

export const NO_SECRETS = new SecretMask([]);

function formsOf(line: string): string[] {
  const value = toWellFormed(line.trim());
  if (value.length < MIN_SECRET_CHARS) return [];
  return [value, ...quotedForms(value), ...urlForms(value), ...base64Forms(value)];
}

/** In JSON, and as `set -x`, `declare -p` and `printf %q` of bash, and `repr` of Python, show it. */
function quotedForms(value: string): string[] {
  const json = JSON.stringify(value).slice(1, -1);
  return [
    json,
    json.replace(/[\u0080-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`),
    value.replaceAll("'", "'\\''"),
    value.replace(/["$`\\]/g, '\\$&'),
    value.replace(/[^\w%+./:=@~\u0080-\uffff-]/g, '\\$&'),
    value.replaceAll('\\', '\\\\'),
    value.replace(/['\\]/g, '\\$&'),
  ];
}

/** In a URL: what has to be escaped there is told in more than one way. */
function urlForms(value: string): string[] {
  const usual = encodeURIComponent(value);
  const strict = usual.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  const forms = [
    usual,
    strict,
    strict.replaceAll('%20', '+'),
    strict.replaceAll('%2F', '/'),
    encodeURI(value),
  ];
  return forms.flatMap((form) => [form, form.replace(/%../g, (code) => code.toLowerCase())]);
}

/** In base64 a value looks in three ways, by where it stands in what was encoded: the characters that are its alone. */
function base64Forms(value: string): string[] {
  const forms: string[] = [];
  for (const before of [0, 1, 2]) {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(value)]);
    const own = bytes
      .toString('base64')
      .slice(Math.ceil((before * 8) / 6), Math.floor((bytes.length * 8) / 6));
    if (own.length < MIN_BASE64_CHARS) continue;
    forms.push(own, own.replaceAll('+', '-').replaceAll('/', '_'));
    // The program base64 breaks its lines.
    if (before === 0) forms.push(...cutIntoLines(own));
  }
  return forms;
}

function cutIntoLines(text: string): string[] {
  const lines = text.match(new RegExp(`.{1,${BASE64_COLUMNS}}`, 'g')) ?? [];
  return lines.filter((line) => line.length >= MIN_BASE64_CHARS);
}

function toWellFormed(text: string): string {
  return Buffer.from(text).toString();
}
