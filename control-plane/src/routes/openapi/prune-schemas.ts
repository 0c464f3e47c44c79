import type { oas31 } from 'zod-openapi';

const PREFIX = '#/components/schemas/';
const OUTPUT = 'Output';

/**
 * Drops named schemas that nothing refers to. The library makes a second form, `XOutput`, of each shape that another
 * named one contains, whether or not an answer contains it; where only that one is used, it gets the plain name.
 */
export function pruneSchemas(document: oas31.OpenAPIObject): oas31.OpenAPIObject {
  const { schemas = {}, ...components } = document.components ?? {};
  const used = new Set<string>();
  const add = (part: unknown) => {
    for (const name of namesIn(part)) {
      if (used.has(name)) continue;
      used.add(name);
      add(schemas[name]);
    }
  };
  add([document.paths, components]);
  const kept = Object.fromEntries(Object.entries(schemas).filter(([name]) => used.has(name)));
  const text = JSON.stringify({ ...document, components: { ...components, schemas: kept } });
  return JSON.parse(
    text.replaceAll(
      new RegExp(`"(${PREFIX})?(\\w+)${OUTPUT}"`, 'g'),
      (whole, prefix: string | undefined, name: string) =>
        `${name}${OUTPUT}` in kept && !(name in kept) ? `"${prefix ?? ''}${name}"` : whole,
    ),
  ) as oas31.OpenAPIObject;
}

function namesIn(part: unknown): string[] {
  return [...JSON.stringify(part).matchAll(new RegExp(`"${PREFIX}(\\w+)"`, 'g'))].map(
    (match) => match[1] ?? '',
  );
}
