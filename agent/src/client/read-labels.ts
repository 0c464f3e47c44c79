import { labelSchema } from '@planfleet/shared-types';
import { usageError } from './cli-error.ts';

/** Labels of an option, each once, as a plan can name them; they may stand with commas between them. */
export function readLabels(option: string, texts: readonly string[]): string[] {
  const labels = texts
    .flatMap((text) => text.split(','))
    .map((label) => label.trim())
    .filter((label) => label !== '');
  const wrong = labels.find((label) => !labelSchema.safeParse(label).success);
  if (wrong !== undefined)
    throw usageError(
      `${option} "${wrong}" cannot be a label`,
      'Letters, digits, dots and dashes, like a100; several with commas between them.',
    );
  return [...new Set(labels)];
}
