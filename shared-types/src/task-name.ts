/** Characters of an item's id that a name shows. */
const MAX_ID_LENGTH = 80;
/** What may stand in a file name, a shell word and an address alike; letters of any language are kept. */
const UNSAFE = /[^\p{L}\p{M}\p{N}._@+=,~-]+/gu;

/** What the name of a task is made of, besides its stage. */
export interface TaskItems {
  /** From 0, in the stage. */
  readonly ordinal: number;
  /** Items of a task of the stage. */
  readonly group_size: number;
  /** Items in the list, as far as they are known. */
  readonly list_count: number;
  readonly item: unknown;
  /** From 2: items before it have the same name. */
  readonly nth: number | null;
}

/**
 * The name people see: `extract_<item id>` (`item.id`, else the place in the list) for a task with an item,
 * `extract_batch_0001_0004` for one with the first four, else the stage's own id. Addresses keep the ordinal.
 */
export function taskName(stageKey: string, items: TaskItems | null): string {
  if (items === null) return stageKey;
  const { ordinal, group_size, list_count, item, nth } = items;
  if (group_size > 1) {
    const last = Math.min((ordinal + 1) * group_size, Math.max(list_count, 1));
    return `${stageKey}_batch_${itemNumber(ordinal * group_size + 1)}_${itemNumber(last)}`;
  }
  return `${stageKey}_${itemName(item, ordinal)}${nth === null ? '' : `_${nth}`}`;
}

function itemNumber(number: number): string {
  return String(number).padStart(4, '0');
}

/** The id of an item made safe for names, or its place in the list. */
export function itemName(item: unknown, ordinal: number): string {
  const id = idOf(item);
  return id === null ? String(ordinal) : safeId(id);
}

function idOf(item: unknown): string | null {
  const id =
    typeof item === 'object' && item !== null && Object.hasOwn(item, 'id') ? Reflect.get(item, 'id') : null;
  return (typeof id === 'string' && id !== '') || typeof id === 'number' ? String(id) : null;
}

/** What is replaced or cut is told apart by a hash of the whole id. */
function safeId(id: string): string {
  const replaced = id.replace(UNSAFE, '_');
  if (replaced === id && id.length <= MAX_ID_LENGTH && !/^\.+$/.test(id)) return id;
  const hash = hashText(id);
  const kept = [...replaced].slice(0, MAX_ID_LENGTH - hash.length - 1).join('');
  return `${kept}_${hash}`;
}

/** FNV-1a over UTF-16 units, 8 hex digits: names need no cryptography, and this runs for each task of a page. */
function hashText(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, '0');
}

/** Finds, going through a list from its start, the items whose name an earlier one has. */
export class ItemNames {
  /** Names so far, with the number that the last item of that name got. */
  readonly #taken = new Map<string, number>();
  /** Items at the start of the list without an id: millions of such names need no memory. */
  #unnamed = 0;

  /** For each repeat its place in `items` and the number that its name gets; `first`: place of `items` in the list. */
  findRepeats(items: readonly unknown[], first: number): [number, number][] {
    const repeats: [number, number][] = [];
    for (const [place, item] of items.entries()) {
      const ordinal = first + place;
      if (ordinal === this.#unnamed && idOf(item) === null) this.#unnamed += 1;
      else {
        const nth = this.#take(itemName(item, ordinal));
        if (nth > 1) repeats.push([place, nth]);
      }
    }
    return repeats;
  }

  #take(name: string): number {
    const last = this.#taken.get(name) ?? (this.#isUnnamed(name) ? 1 : 0);
    let nth = last + 1;
    while (nth > 1 && this.#taken.has(`${name}_${nth}`)) nth += 1;
    this.#taken.set(name, nth);
    if (nth > 1) this.#taken.set(`${name}_${nth}`, 1);
    return nth;
  }

  #isUnnamed(name: string): boolean {
    return /^(?:0|[1-9]\d{0,14})$/.test(name) && Number(name) < this.#unnamed;
  }
}
