import { type ApiSchema, nameOf } from './api-document.ts';
import { escapeHtml, renderInline } from './html.ts';

/** A shape as a list of its fields, those within them folded. Shapes with a name are linked, not repeated. */
export function renderSchema(schema: ApiSchema): string {
  const parts = alternatives(schema);
  const [only] = parts;
  if (parts.length === 1 && only?.$ref !== undefined) return renderReference(only.$ref);
  const folded = parts.map(fieldsOf).filter((each) => each !== '');
  return folded.length === 0
    ? `<p class="type">${describeType(schema)}</p>`
    : folded.join('<p class="or">or</p>');
}

function fieldsOf(schema: ApiSchema): string {
  if (schema.$ref !== undefined) return renderReference(schema.$ref);
  if (schema.items !== undefined) return fieldsOf(schema.items);
  if (schema.properties === undefined) {
    const { additionalProperties: values } = schema;
    return typeof values === 'object' && values.properties !== undefined ? fieldsOf(values) : '';
  }
  const { properties, required = [] } = schema;
  const fields = Object.entries(properties).map(([name, field]) =>
    renderField(name, field, required.includes(name)),
  );
  return `<ul class="fields">${fields.join('')}</ul>`;
}

function renderField(name: string, schema: ApiSchema, required: boolean): string {
  const optional = required ? '' : ' <span class="optional">optional</span>';
  const description =
    schema.description === undefined ? '' : ` <span>${renderInline(schema.description)}</span>`;
  const line = `<code class="name">${escapeHtml(name)}</code> <span class="type">${describeType(schema)}</span>${optional}${description}`;
  const inner = alternatives(schema).filter(isNested).map(fieldsOf).join('<p class="or">or</p>');
  return inner === '' ? `<li>${line}</li>` : `<li><details><summary>${line}</summary>${inner}</details></li>`;
}

function isNested(schema: ApiSchema): boolean {
  if (schema.items !== undefined) return isNested(schema.items);
  const { properties, additionalProperties: values } = schema;
  return properties !== undefined || (typeof values === 'object' && isNested(values));
}

function alternatives(schema: ApiSchema): readonly ApiSchema[] {
  return schema.anyOf ?? schema.oneOf ?? [schema];
}

/** `string or null`, `list of Task`: one line, as HTML. */
export function describeType(schema: ApiSchema): string {
  const parts = alternatives(schema);
  if (parts.length > 1) return [...new Set(parts.map(describeType))].join(' or ');
  if (schema.$ref !== undefined) return renderReference(schema.$ref);
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum !== undefined) return schema.enum.map(code).join(' or ');
  if (schema.items !== undefined) return `list of ${describeType(schema.items)}${limitsOf(schema)}`;
  if (
    typeof schema.additionalProperties === 'object' &&
    Object.keys(schema.additionalProperties).length > 0
  ) {
    return `object of ${describeType(schema.additionalProperties)} by name`;
  }
  const type = Array.isArray(schema.type) ? schema.type.join(' or ') : String(schema.type ?? 'anything');
  const format = schema.format === undefined ? '' : ` (${escapeHtml(schema.format)})`;
  return `${escapeHtml(type)}${format}${limitsOf(schema)}`;
}

function limitsOf(schema: ApiSchema): string {
  const least = schema.minimum ?? schema.minLength ?? schema.minItems;
  const most = schema.maximum ?? schema.maxLength ?? schema.maxItems;
  const unit = schema.maxLength !== undefined || schema.minLength !== undefined ? ' characters' : '';
  const limits = [
    ...(least === undefined && most === undefined ? [] : [`${least ?? ''}…${most ?? ''}${unit}`]),
    ...(schema.pattern === undefined ? [] : [`<code>${escapeHtml(schema.pattern)}</code>`]),
    ...(schema.default === undefined ? [] : [`default ${code(schema.default)}`]),
  ];
  return limits.length === 0 ? '' : `, ${limits.join(', ')}`;
}

function code(value: unknown): string {
  return `<code>${escapeHtml(String(value))}</code>`;
}

function renderReference(reference: string): string {
  const name = escapeHtml(nameOf(reference));
  return `<a href="#schema-${name}">${name}</a>`;
}
