import Ajv2020 from '@redocly/ajv/dist/2020.js';

type Json = Record<string, unknown>;

export interface ApiDescription {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Json>> };
}

export interface AnswerValidator {
  /** What is wrong with an answer of a route; nothing: it is as described, to the last field. */
  checkAnswer(route: string, status: number, contentType: string | null, body: string): string[];
  /** The same of one value and a named shape. */
  checkShape(name: string, value: unknown): string[];
}

/**
 * Compares answers with their description. Answers may gain fields, so that the description forbids none: here
 * a field that is not described is an error.
 */
export function createAnswerValidator(description: ApiDescription): AnswerValidator {
  const closed = closeObjects(description) as ApiDescription;
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema({ $id: 'api', ...closed });

  function check(pointer: string, value: unknown): string[] {
    const validate = ajv.compile({ $ref: `api#${pointer}` });
    if (validate(value)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  }

  return {
    checkAnswer(route, status, contentType, body) {
      const [method = '', path = ''] = route.split(' ');
      const responses = closed.paths[path]?.[method.toLowerCase()]?.['responses'] as Json | undefined;
      let response = responses?.[String(status)] as Json | undefined;
      if (response === undefined) return [`${route} does not describe the status ${status}.`];
      let place = `/paths/${toPointer(path)}/${method.toLowerCase()}/responses/${status}`;
      if (typeof response['$ref'] === 'string') {
        place = response['$ref'].slice(1);
        response = find(closed, place);
      }
      const content = (response?.['content'] ?? {}) as Json;
      const media = (contentType ?? '').split(';')[0] ?? '';
      if (Object.keys(content).length === 0)
        return body === '' ? [] : ['It has a body that is not described.'];
      if (content[media] === undefined) return [`${route} ${status} does not describe ${media}.`];
      if (!media.endsWith('json')) return [];
      return check(`${place}/content/${toPointer(media)}/schema`, JSON.parse(body));
    },
    checkShape: (name, value) => check(`/components/schemas/${name}`, value),
  };
}

function toPointer(part: string): string {
  return encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));
}

function find(document: unknown, pointer: string): Json | undefined {
  let found = document as Json | undefined;
  for (const part of pointer.slice(1).split('/')) found = found?.[part] as Json | undefined;
  return found;
}

/** Every object whose fields are described has no others. */
function closeObjects(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closeObjects);
  if (typeof value !== 'object' || value === null) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([key, each]) => [key, closeObjects(each)]));
  const isShape = copy['type'] === 'object' && typeof copy['properties'] === 'object';
  return isShape && copy['additionalProperties'] === undefined
    ? { ...copy, additionalProperties: false }
    : copy;
}
