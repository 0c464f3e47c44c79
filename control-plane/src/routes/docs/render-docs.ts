import {
  type ApiDocument,
  type ApiMedia,
  type ApiParameter,
  type ApiResponse,
  type ApiRoute,
  type ApiSchema,
  listOperations,
  nameOf,
  type Reference,
} from './api-document.ts';
import { docsStyle } from './docs-style.ts';
import { escapeHtml, renderCode, renderInline, renderProse } from './html.ts';
import { describeType, renderSchema } from './render-schema.ts';

/** The description as one page that needs nothing else: no script, no font, no request. */
export function renderDocs(document: ApiDocument): string {
  const { info, tags, components } = document;
  const groups = tags.map((tag) => ({ ...tag, routes: listOperations(document, tag.name) }));
  const nav = groups.map(({ name, routes }) => {
    const links = routes.map(({ operation }) => link(operation.operationId, operation.summary));
    return `<li>${link(`tag-${name}`, name)}<ul>${links.map((each) => `<li>${each}</li>`).join('')}</ul></li>`;
  });
  const sections = groups.map(({ name, description, routes }) => {
    const articles = routes.map((route) => renderRoute(route, document)).join('');
    return `<section id="tag-${name}"><h2>${escapeHtml(name)}</h2>${renderProse(description)}${articles}</section>`;
  });
  const schemas = Object.entries(components.schemas)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, schema]) => renderNamed(name, schema));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(info.title)}: HTTP API</title>
<style>${docsStyle}</style>
</head>
<body>
<nav aria-label="Contents"><p class="brand"><a href="#top">${escapeHtml(info.title)}</a></p>
<ul>${nav.join('')}<li>${link('schemas', 'Shapes')}</li></ul></nav>
<main id="top">
<h1>${escapeHtml(info.title)} <small>${escapeHtml(info.summary ?? '')}</small></h1>
${renderProse(info.description)}
<p>For machines: <a href="/openapi.json">/openapi.json</a>. For language models that write plans: <a href="/llms.txt">/llms.txt</a>.</p>
<h2 id="begin">To try the examples</h2>
${renderCode('URL=http://127.0.0.1:7654   # where the control plane listens\nTOKEN=...                   # planfleet tokens create --scope submit --scope read')}
${sections.join('\n')}
<section id="schemas"><h2>Shapes</h2>${schemas.join('')}</section>
</main>
</body>
</html>
`;
}

function link(id: string, text: string): string {
  return `<a href="#${escapeHtml(id)}">${escapeHtml(text)}</a>`;
}

function renderRoute({ method, path, operation }: ApiRoute, document: ApiDocument): string {
  const { operationId: id, summary, description, parameters = [], requestBody, responses } = operation;
  const bodies = Object.entries(requestBody?.content ?? {}).map(([media, content]) =>
    renderMedia(media, content),
  );
  const answers = Object.entries(responses).map(([status, answer]) =>
    renderAnswer(status, '$ref' in answer ? resolve(answer, document) : answer),
  );
  return `<article id="${escapeHtml(id)}">
<h3><a href="#${escapeHtml(id)}">${escapeHtml(summary)}</a></h3>
<p class="route"><span class="method ${method.toLowerCase()}">${method}</span> <code>${escapeHtml(path).replaceAll('/', '/<wbr>')}</code></p>
${renderProse(description)}
${operation['x-codeSamples'].map(({ source }) => renderCode(source)).join('')}
${parameters.length === 0 ? '' : `<h4>Parameters</h4><ul class="fields">${parameters.map(renderParameter).join('')}</ul>`}
${bodies.length === 0 ? '' : `<h4>Body</h4>${bodies.join('')}`}
<h4>Answers</h4>${answers.join('')}
</article>`;
}

function resolve({ $ref }: Reference, { components }: ApiDocument): ApiResponse {
  const found = components.responses[nameOf($ref)];
  if (found === undefined) throw new Error(`The description has no ${$ref}.`);
  return found;
}

function renderParameter({ name, in: place, required, description, schema }: ApiParameter): string {
  const note = required === true ? '' : ' <span class="optional">optional</span>';
  const text = description === undefined ? '' : ` <span>${renderInline(description)}</span>`;
  return `<li><code class="name">${escapeHtml(name)}</code> <span class="type">${escapeHtml(place)}, ${describeType(schema)}</span>${note}${text}</li>`;
}

function renderAnswer(status: string, { description, content = {} }: ApiResponse): string {
  const kind = status.startsWith('2') ? 'good' : 'bad';
  const summary = `<span class="status ${kind}">${escapeHtml(status)}</span> ${renderInline(description)}`;
  const media = Object.entries(content).map(([name, each]) => renderMedia(name, each));
  if (media.length === 0) return `<p class="answer">${summary}</p>`;
  return `<details class="answer"><summary>${summary}</summary>${media.join('')}</details>`;
}

function renderMedia(media: string, { schema, example, examples = {} }: ApiMedia): string {
  const shown = [
    ...(example === undefined ? [] : [example]),
    ...Object.values(examples).map(({ value }) => value),
  ].map((value) => renderCode(typeof value === 'string' ? value : JSON.stringify(value, null, 2)));
  const shape = schema === undefined ? '' : renderSchema(schema);
  const folded = shown.length === 0 ? '' : `<details><summary>Example</summary>${shown.join('')}</details>`;
  return `<div class="media"><p><code>${escapeHtml(media)}</code></p>${shape}${folded}</div>`;
}

function renderNamed(name: string, schema: ApiSchema): string {
  const id = `schema-${escapeHtml(name)}`;
  return `<details class="shape" id="${id}" open><summary><a href="#${id}">${escapeHtml(name)}</a></summary>${renderSchema(schema)}</details>`;
}
