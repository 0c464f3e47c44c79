import type { CommandPart, Heredoc } from './command-parts.ts';
import { escapeValue } from './escape-value.ts';
import { lookupValue, type TemplateValues } from './lookup-value.ts';
import { type ScannedCommand, scanCommand } from './scan-command.ts';
import { TemplateError } from './template-error.ts';
import { escapeBackticks } from './unescape-backticks.ts';

/**
 * Fills in the placeholders of a bash command. A value never becomes shell syntax: it is escaped for
 * the quotes it stands in and arrives literally, as one argument. `{NAME:raw}` is inserted verbatim.
 */
export function renderCommand(command: string, values: TemplateValues): string {
  const scanned = scanCommand(command);
  if (scanned.placeholders.length === 0) return command;
  refuseUnreadable(scanned);
  return renderParts(scanned.parts, values);
}

/** Quoting that cannot be followed to its end cannot be escaped for either. */
function refuseUnreadable({ problem, placeholders }: ScannedCommand): void {
  if (problem === null) return;
  throw new TemplateError(
    'unbalanced_quote',
    placeholders[0]?.placeholder.text ?? '',
    `The command opens ${problem.what} at character ${problem.offset + 1} and never closes it.`,
  );
}

function renderParts(parts: readonly CommandPart[], values: TemplateValues): string {
  const heredocs = new Map<Heredoc, RenderedHeredoc>();
  for (const part of parts) {
    if (part.kind === 'heredoc_body') heredocs.set(part.heredoc, renderHeredoc(part, values));
  }
  return parts.map((part) => renderPart(part, values, heredocs)).join('');
}

function renderPart(
  part: CommandPart,
  values: TemplateValues,
  heredocs: ReadonlyMap<Heredoc, RenderedHeredoc>,
): string {
  switch (part.kind) {
    case 'text':
      return part.text;
    case 'placeholder': {
      const value = lookupValue(part.placeholder, values);
      if (part.placeholder.raw) return (part.after_backslash ? '\\' : '') + value;
      return escapeValue(part, value);
    }
    case 'backticks':
      return holdsPlaceholder(part.parts)
        ? `\`${escapeBackticks(renderParts(part.parts, values), part.in_double_quotes)}\``
        : part.source;
    case 'heredoc_operator':
      return heredocs.get(part.heredoc)?.operator ?? part.source;
    case 'heredoc_body':
      return heredocs.get(part.heredoc)?.body ?? '';
  }
}

interface RenderedHeredoc {
  /** Null: as written. */
  readonly operator: string | null;
  readonly body: string;
}

type HeredocBody = Extract<CommandPart, { kind: 'heredoc_body' }>;

function renderHeredoc(body: HeredocBody, values: TemplateValues): RenderedHeredoc {
  const { heredoc } = body;
  if (!holdsPlaceholder(body.parts)) {
    return { operator: null, body: renderParts(body.parts, values) + body.closing };
  }
  // `<<-` would strip the tabs of values too, so the tabs of the plan's text are stripped here instead.
  const parts = heredoc.strips_tabs ? stripLeadingTabs(body.parts, heredoc.quoted) : body.parts;
  const text = renderParts(parts, values);
  const delimiter = chooseDelimiter(heredoc.delimiter, text);
  const word = heredoc.quoted ? `'${delimiter.replaceAll("'", "'\\''")}'` : delimiter;
  const line_end = body.closing.endsWith('\n') ? '\n' : '';
  return { operator: `<<${word}`, body: text + delimiter + line_end };
}

/**
 * The delimiter as written, unless a line of the text would end the here-document early. Inside
 * `$(...)` bash takes a line for the end that only starts with the delimiter.
 */
function chooseDelimiter(written: string, text: string): string {
  const lines = text.split('\n');
  let delimiter = written;
  for (let number = 1; lines.some((line) => line.startsWith(delimiter)); number += 1) {
    delimiter = `PLANFLEET_END_${number}`;
  }
  return delimiter;
}

function stripLeadingTabs(parts: readonly CommandPart[], quoted: boolean): CommandPart[] {
  return parts.map((part, index) => {
    if (part.kind !== 'text') return part;
    // A line that a backslash joins to the one before keeps its tabs where the body is expanded.
    const line_start = quoted ? /\n\t+/g : /(?<!(?<!\\)(?:\\\\)*\\)\n\t+/g;
    const text = part.text.replace(line_start, '\n');
    return { kind: 'text', text: index === 0 ? text.replace(/^\t+/, '') : text };
  });
}

function holdsPlaceholder(parts: readonly CommandPart[]): boolean {
  return parts.some((part) => {
    if (part.kind === 'placeholder') return true;
    return (part.kind === 'backticks' || part.kind === 'heredoc_body') && holdsPlaceholder(part.parts);
  });
}
