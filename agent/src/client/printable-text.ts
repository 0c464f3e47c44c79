/** Escape sequences, whole ones, and control characters but for tabs, line ends and `\r`. */
export const CONTROL =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what is looked for
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[ -/]*[0-~])|[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Text from a task, a plan or the server made safe to show: without escape sequences and control
 * characters (output of a task could otherwise retitle, clear or recolour the terminal), with tabs and
 * line ends kept.
 */
export function printableText(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(CONTROL, '').replaceAll('\r', '');
}

/** The same on one line, cut at `limit` characters. */
export function printableLine(text: string, limit = 300): string {
  const line = printableText(text).replace(/\s+/g, ' ').trim();
  return line.length <= limit ? line : `${line.slice(0, limit - 1)}…`;
}
