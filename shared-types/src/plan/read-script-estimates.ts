import { readFieldList } from './read-fields.ts';
import type { SourceText } from './source-text.ts';
import { type Section, splitSections } from './split-sections.ts';

/** `VRAM estimate` of every script under Available Scripts, by path, in megabytes. */
export function readScriptEstimates(
  source: SourceText,
  sections: readonly Section[],
): ReadonlyMap<string, number> {
  const estimates = new Map<string, number>();
  for (const script of sections.flatMap((section) => splitSections(source, section.blocks, 3))) {
    const path = script.title.replace(/\s.*$/, '').replace(/^\{PLAN_PATH\}\/|^\.\//, '');
    const field = readFieldList(source, script.blocks).fields.find(({ key }) => key === 'vram_estimate');
    const megabytes = field === undefined ? null : parseMegabytes(field.value.text);
    if (path !== '' && megabytes !== null) estimates.set(path, megabytes);
  }
  return estimates;
}

/** `1500`, `1500 MB`, `1.5 GB`; null for anything else. */
export function parseMegabytes(text: string): number | null {
  const match = /^~?\s*(\d{1,9}(?:\.\d{1,3})?)\s*(mb|mib|gb|gib)?$/i.exec(text.trim());
  if (match === null) return null;
  const amount = Number(match[1]) * (/^g/i.test(match[2] ?? '') ? 1024 : 1);
  return amount >= 1 ? Math.round(amount) : null;
}

/** The estimate of the script that a command runs. */
export function findScriptEstimate(command: string, estimates: ReadonlyMap<string, number>): number | null {
  for (const [path, megabytes] of estimates) {
    const at = command.indexOf(path);
    if (at === -1) continue;
    const before = command[at - 1] ?? ' ';
    const after = command[at + path.length] ?? ' ';
    if (!/[\w-]/.test(before) && !/[\w-]/.test(after)) return megabytes;
  }
  return null;
}
