import fc from 'fast-check';

/** A piece of a bash command, and what bash makes of it when `{X}` has a value. */
export interface Piece {
  readonly text: string;
  readonly arrives: (value: string) => string;
}

const literal = (text: string, arrives = text): Piece => ({ text, arrives: () => arrives });
const placeholder: Piece = { text: '{X}', arrives: (value) => value };

function join(pieces: readonly Piece[]): Piece {
  return {
    text: pieces.map((piece) => piece.text).join(''),
    arrives: (value) => pieces.map((piece) => piece.arrives(value)).join(''),
  };
}

function wrap(before: string, { text, arrives }: Piece, after: string): Piece {
  return { text: before + text + after, arrives };
}

/** Between backticks; within double quotes bash unescapes the quotes as well. */
function backticks({ text, arrives }: Piece, escaped: RegExp): Piece {
  return { text: `\`${text.replace(escaped, '\\$&')}\``, arrives };
}

const pieces = (piece: fc.Arbitrary<Piece>) => fc.array(piece, { minLength: 1, maxLength: 3 }).map(join);

function makeGrammar(heredocs: readonly fc.Arbitrary<Piece>[]): {
  word: fc.Arbitrary<Piece>;
  command: fc.Arbitrary<Piece>;
} {
  return fc.letrec<{ word: Piece; quoted: Piece; command: Piece }>((tie) => ({
    /** Outside of quotes. */
    word: pieces(
      fc.oneof(
        { maxDepth: 4, depthSize: 'small' },
        fc.constantFrom(
          placeholder,
          literal('a/b'),
          literal("'it'\\''s \"'", 'it\'s "'),
          literal('\\$:', '$:'),
        ),
        fc.constantFrom(wrap("'", placeholder, "'"), wrap("$'", placeholder, "'"), literal('x\\\n', 'x')),
        tie('quoted').map((inner) => wrap('"', inner, '"')),
      ),
    ),
    /** Within double quotes. */
    quoted: pieces(
      fc.oneof(
        { maxDepth: 4, depthSize: 'small' },
        fc.constantFrom(
          placeholder,
          literal("it's ("),
          literal('\\"', '"'),
          literal('\\\\', '\\'),
          literal('#'),
        ),
        tie('command').map((inner) => wrap('$( ', inner, ' )')),
        tie('command').map((inner) => backticks(inner, /[\\$`"]/g)),
      ),
    ),
    /** Prints what it is given, with a point that keeps line ends at its end. */
    command: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      tie('word').map((inner) => point(wrap("printf '%s.' ", inner, ''))),
      tie('word').map((inner) => point(wrap("(printf '%s.' ", inner, ')'))),
      tie('word').map((inner) => point(wrap("case a in a) printf '%s.' ", inner, ';; esac'))),
      tie('word').map((inner) => point(wrap("true # {X} (it's\nprintf '%s.' ", inner, ''))),
      tie('word').map((inner) => point(wrap("[[ {X} == {X} ]] && printf '%s.' ", inner, ''))),
      ...heredocs,
    ),
  }));
}

/** Within a here-document. Another inside it is refused, so there is none. */
const line = pieces(
  fc.oneof(
    fc.constantFrom(placeholder, literal('it\'s ("'), literal('\\$:', '$:'), literal('\n'), literal('#')),
    makeGrammar([]).command.map((inner) => wrap('$( ', inner, ' )')),
    makeGrammar([]).command.map((inner) => backticks(inner, /[\\$`]/g)),
  ),
);

const { command } = makeGrammar([
  line.map((inner) => point(wrap('cat <<EOF\n', inner, '.\nEOF\n'))),
  line.map((inner) => point(wrap('cat <<-EOF\n\t', inner, '.\n\tEOF\n'))),
  fc.constant(point(wrap("cat <<'EOF'\n", placeholder, '.\nEOF\n'))),
]);

function point({ text, arrives }: Piece): Piece {
  return { text, arrives: (value) => `${arrives(value)}.` };
}

/** `arg` with one argument that comes through quotes, substitutions and here-documents at random. */
export const nestedCommand: fc.Arbitrary<Piece> = command.map((inner) => wrap('arg "$( ', inner, ' )"'));
