import type * as z from 'zod';
import type { Operation } from './operation.ts';

/** A command that can be pasted once `URL` and `TOKEN` are set. */
export function buildCurl(method: string, path: string, operation: Operation): string {
  const token = operation.scopes.length === 0 ? '' : '-H "Authorization: Bearer $TOKEN" ';
  return `curl ${token}${operation.curl ?? buildArguments(method, path, operation)}`;
}

function buildArguments(method: string, path: string, { path: parameters, body }: Operation): string {
  const address = path.replace(/\{(\w+)\}/g, (_, name: string) => exampleOf(parameters?.shape[name]) ?? name);
  const json = body?.['application/json'];
  const sent = json === undefined ? '' : `--json ${quote(JSON.stringify(json.example))} `;
  const implied = json === undefined ? 'GET' : 'POST';
  return `${method === implied ? '' : `-X ${method} `}${sent}"$URL${address}"`;
}

function exampleOf(schema: z.ZodType | undefined): string | undefined {
  const examples: unknown = schema?.meta()?.['examples'];
  return Array.isArray(examples) && typeof examples[0] === 'string' ? examples[0] : undefined;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
