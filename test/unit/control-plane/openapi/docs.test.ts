import { createHash } from 'node:crypto';
import { diagnosticCodes, fieldNames, validatePlan } from '@planfleet/shared-types';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { planFields } from '../../../../control-plane/src/routes/docs/plan-fields.ts';
import { EXAMPLE_PLAN } from '../../../../control-plane/src/routes/openapi/examples.ts';
import { operations } from '../../../../control-plane/src/routes/openapi/operations.ts';
import { openTestApp, type TestApp } from '../../../support/test-app.ts';

let server: TestApp;
let page: string;
let headers: Headers;
beforeAll(async () => {
  server = await openTestApp();
  const response = await server.app.request('/docs');
  expect(response.status).toBe(200);
  headers = response.headers;
  page = await response.text();
});
afterAll(() => server.close());

test('the page shows every route with its example', () => {
  expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
  for (const [route, { id }] of Object.entries(operations)) {
    const [method = ''] = route.split(' ');
    const article = new RegExp(`<article id="${id}">[\\s\\S]*?</article>`).exec(page)?.[0] ?? '';
    expect([route, article.includes(`>${method}</span>`), article.includes('curl ')]).toEqual([
      route,
      true,
      true,
    ]);
  }
});

test('the page asks for nothing and runs nothing', () => {
  expect(page).not.toMatch(/<(script|img|link|iframe|object|form)\b|\son[a-z]+=|javascript:|@import|url\(/i);
  expect(page).not.toMatch(/(href|src)="(?!#|\/openapi\.json"|\/llms\.txt")/);
  const style = /<style>([\s\S]*?)<\/style>/.exec(page)?.[1] ?? '';
  const digest = createHash('sha256').update(style).digest('base64');
  expect(headers.get('content-security-policy')).toBe(
    `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  );
  expect(page).not.toContain(' style=');
});

test('every link within the page leads somewhere, and no two places have one name', () => {
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]);
  expect(new Set(ids).size).toBe(ids.length);
  const targets = [...page.matchAll(/href="#([^"]+)"/g)].map((match) => match[1]);
  expect(targets.length).toBeGreaterThan(50);
  expect(targets.filter((target) => !ids.includes(target))).toEqual([]);
});

test('the elements of the page are closed', () => {
  const open: string[] = [];
  for (const [, closing, name = ''] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)[^>]*>/g)) {
    if (/^(meta|wbr)$/.test(name)) continue;
    if (closing === '') open.push(name);
    else expect(open.pop()).toBe(name);
  }
  expect(open).toEqual([]);
});

test('a language model is told every field and every diagnostic', async () => {
  const response = await server.app.request('/llms.txt');
  expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  const text = await response.text();
  expect(Object.keys(planFields)).toEqual(fieldNames);
  for (const name of fieldNames) expect(text).toContain(`\n- \`${name}\`: `);
  for (const [rule, { code, meaning }] of Object.entries(diagnosticCodes)) {
    expect(text).toContain(`- ${code} \`${rule}\`: ${meaning}`);
  }
  expect(text).toContain(
    'curl -H "Authorization: Bearer $TOKEN" -H "Content-Type: text/markdown" --data-binary @plan.md',
  );
  expect(text).not.toContain('undefined');
  expect(text).toContain(EXAMPLE_PLAN.trimEnd());
});

test('the example plan has nothing wrong', () => {
  const inputs = { INPUT_FOLDER: '/data/texts', OUTPUT_FILE: 'words.csv' };
  expect(validatePlan(EXAMPLE_PLAN, { inputs }).diagnostics).toEqual([]);
});
