/** Bytes that are whole characters, as text, and how many they were. The rest of a cut character waits for more. */
export class TextCutter {
  #held: Uint8Array = new Uint8Array();
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  /** Bytes kept back. */
  get held(): number {
    return this.#held.length;
  }

  push(bytes: Uint8Array): string {
    const whole = new Uint8Array(this.#held.length + bytes.length);
    whole.set(this.#held);
    whole.set(bytes, this.#held.length);
    const end = whole.length - cutLength(whole);
    this.#held = whole.slice(end);
    return this.#decoder.decode(whole.subarray(0, end));
  }

  /** No more comes: a cut character is one that cannot be shown. */
  flush(): string {
    const text = this.#decoder.decode(this.#held);
    this.#held = new Uint8Array();
    return text;
  }
}

/** Bytes at the end that may be the beginning of a character: 0 to 3. */
function cutLength(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0;
  }
  return 0;
}
