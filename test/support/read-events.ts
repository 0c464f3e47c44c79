export interface ServerEvent {
  readonly id: string | null;
  readonly event: string;
  readonly data: unknown;
}

export interface EventReader {
  /** The next event; null: the stream has ended. */
  next(): Promise<ServerEvent | null>;
  cancel(): Promise<void>;
  /** Signs of life so far. */
  readonly comments: number;
}

/** Reads server-sent events as the standard says, of those forms that planfleet sends. */
export function readEvents(response: Response): EventReader {
  if (response.body === null) throw new Error('The answer has no body.');
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = '';
  let comments = 0;

  async function readBlock(): Promise<string | null> {
    for (;;) {
      const end = buffer.indexOf('\n\n');
      if (end >= 0) {
        const block = buffer.slice(0, end);
        buffer = buffer.slice(end + 2);
        return block;
      }
      const { done, value } = await reader.read();
      if (done) return null;
      buffer += value;
    }
  }

  return {
    async next() {
      for (;;) {
        const block = await readBlock();
        if (block === null) return null;
        const fields = new Map<string, string>();
        for (const line of block.split('\n')) {
          if (line.startsWith(':')) comments += 1;
          else fields.set(line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trimStart());
        }
        const data = fields.get('data');
        if (data === undefined) continue;
        return {
          id: fields.get('id') ?? null,
          event: fields.get('event') ?? 'message',
          data: JSON.parse(data),
        };
      }
    },
    async cancel() {
      await reader.cancel().catch(() => undefined);
    },
    get comments() {
      return comments;
    },
  };
}
