/** What bash reads as one word and nothing else. */
const PLAIN_WORD = /^[\w./:=@%+,-]+$/;
/** As the first word these would begin a construct of the shell. */
const RESERVED = new Set(
  'case coproc do done elif else esac fi for function if in select then time until while'.split(' '),
);
/** Shown as it is between single quotes: no character that a plan, bash or an editor could read otherwise. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is excluded
const QUOTABLE = /^[^'{`\u0000-\u001f\u007f]*$/;
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;

/** One argument as a word of bash that means exactly this, on one line, and in a plan is no placeholder. */
function quoteArgument(text: string): string {
  if (PLAIN_WORD.test(text)) return text;
  if (QUOTABLE.test(text) && !INVISIBLE.test(text)) return `'${text}'`;
  return `$'${[...Buffer.from(text)].map(escapeByte).join('')}'`;
}

function escapeByte(byte: number): string {
  const character = String.fromCharCode(byte);
  if (/^[ -~]$/.test(character) && !"'\\{`".includes(character)) return character;
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}

/** A whole command, with variables set for it alone. */
export function quoteCommand(
  [program = '', ...rest]: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): string {
  const first = quoteArgument(program);
  const isWord = first === program && !program.includes('=') && !RESERVED.has(program);
  return [
    ...Object.entries(variables).map(([name, value]) => `${name}=${quoteArgument(value)}`),
    isWord ? program : first === program ? `'${program}'` : first,
    ...rest.map(quoteArgument),
  ].join(' ');
}
