import { findPlaceholders } from './find-placeholders.ts';
import { lookupValue, type TemplateValues } from './lookup-value.ts';

/** Fills in the placeholders of plain text (prompts, paths, environment values): nothing is escaped. */
export function renderText(text: string, values: TemplateValues): string {
  let rendered = '';
  let from = 0;
  for (const placeholder of findPlaceholders(text)) {
    rendered += text.slice(from, placeholder.start) + lookupValue(placeholder, values);
    from = placeholder.end;
  }
  return rendered + text.slice(from);
}
