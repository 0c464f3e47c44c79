import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { configSchema } from '@planfleet/shared-types';
import * as z from 'zod';
import { usageError } from './cli-error.ts';

export interface GivenInputs {
  readonly config: Readonly<Record<string, string>>;
  /** Inputs that travel: name to path on this machine. */
  readonly travelling: ReadonlyMap<string, string>;
}

/** `--config JSON|@file` and any number of `-i KEY=VALUE|KEY=@PATH`; the latter win. */
export async function parseInputs(
  config: string | undefined,
  inputs: readonly string[],
  cwd: string,
): Promise<GivenInputs> {
  const values: Record<string, string> = config === undefined ? {} : await parseConfig(config, cwd);
  const travelling = new Map<string, string>();
  for (const input of inputs) {
    const { key, value } = parseInput(input);
    delete values[key];
    travelling.delete(key);
    if (value === '@') throw usageError(`-i ${key}=@ names no path`, `Write it like -i ${key}=@./folder.`);
    if (value.startsWith('@')) travelling.set(key, resolve(cwd, value.slice(1)));
    else values[key] = value;
  }
  return { config: values, travelling };
}

function parseInput(text: string): { key: string; value: string } {
  const at = text.indexOf('=');
  if (at < 1)
    throw usageError(`-i ${text}: a value is missing`, 'Write it like -i INPUT_FOLDER=@./invoices.');
  const key = text.slice(0, at);
  if (!/^[A-Z][A-Z0-9_]*$/.test(key)) {
    const upper = key.toUpperCase().replace(/[^A-Z0-9]+/g, '_');
    throw usageError(`-i ${key}: an input name is upper case, like INPUT_FOLDER`, `Did you mean ${upper}?`);
  }
  return { key, value: text.slice(at + 1) };
}

async function parseConfig(config: string, cwd: string): Promise<Record<string, string>> {
  let text = config;
  if (config.startsWith('@')) {
    try {
      text = await readFile(resolve(cwd, config.slice(1)), 'utf8');
    } catch (error) {
      throw usageError(`--config: cannot read ${config.slice(1)}: ${(error as Error).message}`);
    }
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw usageError(
      `--config is not valid JSON: ${(error as Error).message}`,
      `Write it like --config '{"INPUT_FOLDER":"/data"}', or --config @file.json.`,
    );
  }
  const parsed = configSchema.safeParse(value);
  if (!parsed.success)
    throw usageError(
      `--config: ${z.prettifyError(parsed.error)}`,
      'It is one object: names to texts or numbers.',
    );
  return parsed.data;
}
