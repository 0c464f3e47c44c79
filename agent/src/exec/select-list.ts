import { AttemptError } from './attempt.ts';

/** A step into a JSON document: a name, a place in a list, or every element of a list. */
type Step = { readonly name: string } | { readonly place: number } | 'every';

const STEP = /\.?([^.[\]'"]+)|\[(\d+)\]|\[\*\]|\['([^']*)'\]|\["([^"]*)"\]/y;

/**
 * The list at a place in a JSON document: `videos`, `data.videos`, `$.pages[0].items`, `["a name"]`. After `[*]` each
 * element is followed, so that `pages[*].url` is the list of all urls. No place: the document itself.
 */
export function selectList(document: unknown, jsonpath: string | null, file: string): unknown[] {
  const steps = readSteps(jsonpath ?? '', file);
  const found = walk({ value: document, walked: '' }, steps, file);
  if (steps.includes('every')) return found.map(({ value }) => value);
  const [only] = found;
  if (only !== undefined && Array.isArray(only.value)) return only.value;
  const place = only === undefined || only.walked === '' ? file : `"${only.walked}" in ${file}`;
  throw new AttemptError('definition', `${place} is not a list; there is ${describeKeys(only?.value)}`);
}

function readSteps(jsonpath: string, file: string): Step[] {
  const text = jsonpath.replace(/^\$/, '');
  const steps: Step[] = [];
  for (let at = 0; at < text.length; ) {
    STEP.lastIndex = at;
    const match = STEP.exec(text);
    if (match === null) {
      throw new AttemptError(
        'definition',
        `"${jsonpath}" is not a place in ${file}: it cannot be read from "${text.slice(at)}" on; write names with dots between them, like data.videos`,
      );
    }
    const [whole, plain, place, single, double] = match;
    const name = plain ?? single ?? double;
    if (place !== undefined) steps.push({ place: Number(place) });
    else steps.push(name === undefined ? 'every' : { name });
    at += whole.length;
  }
  return steps;
}

interface Found {
  readonly value: unknown;
  /** How the document was walked to it, as people write it. */
  readonly walked: string;
}

function walk(from: Found, steps: readonly Step[], file: string): Found[] {
  let found = [from];
  for (const step of steps) found = found.flatMap((each) => follow(each, step, file));
  return found;
}

function follow({ value, walked }: Found, step: Step, file: string): Found[] {
  if (step === 'every') {
    if (!Array.isArray(value)) throw missing('[*]', { value, walked }, file);
    return value.map((element: unknown, place) => ({ value: element, walked: `${walked}[${place}]` }));
  }
  if ('place' in step) {
    if (!Array.isArray(value) || step.place >= value.length) {
      throw missing(`[${step.place}]`, { value, walked }, file);
    }
    return [{ value: value[step.place], walked: `${walked}[${step.place}]` }];
  }
  const { name } = step;
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name)) {
    throw missing(name, { value, walked }, file);
  }
  return [{ value: Reflect.get(value, name), walked: walked === '' ? name : `${walked}.${name}` }];
}

function missing(what: string, { value, walked }: Found, file: string): AttemptError {
  const where = walked === '' ? 'at the top' : `at "${walked}"`;
  return new AttemptError('definition', `${file} has no "${what}" ${where}; there is ${describeKeys(value)}`);
}

function describeKeys(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : `a ${typeof value}`;
  const keys = Object.keys(value);
  if (keys.length === 0) return 'an empty object';
  return `an object with ${keys.slice(0, 20).join(', ')}${keys.length > 20 ? ', ...' : ''}`;
}
