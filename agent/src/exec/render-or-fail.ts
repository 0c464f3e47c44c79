import { renderCommand, renderText, TemplateError, type TemplateValues } from '@planfleet/shared-types';
import { AttemptError } from './attempt.ts';

/** Fills in placeholders; what cannot be filled in is a fault of the plan, not of this attempt. */
export function renderOrFail(template: string, values: TemplateValues, as: 'command' | 'text'): string {
  try {
    return as === 'command' ? renderCommand(template, values) : renderText(template, values);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    const hint = error.hint === null ? '' : ` ${error.hint}`;
    throw new AttemptError('definition', `${error.message}${hint}`, { cause: error });
  }
}
