// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is bash.

/** A place for a value in a bash command, and what must arrive there. */
export interface BashContext {
  /** `arg` prints how many arguments it got and each of them, NUL-terminated. */
  readonly command: string;
  readonly arrives: (value: string) => readonly string[];
  /** Prints raw bytes in place of arguments. */
  readonly raw?: true;
}

const one =
  (before = '', after = '') =>
  (value: string) => ['1', before + value + after];
const two = (value: string) => ['2', value, value];
const bytes = (before: string, after: string) => (value: string) => [before + value + after];

/** Words and quotes. */
const words: BashContext[] = [
  { command: 'arg {X}', arrives: one() },
  { command: 'arg a{X}b', arrives: one('a', 'b') },
  { command: 'arg {X}{X}', arrives: (value) => ['1', value + value] },
  { command: 'arg --opt={X}', arrives: one('--opt=') },
  { command: 'arg a#{X}', arrives: one('a#') },
  { command: 'arg \\\n  {X} \\\n  {X}', arrives: two },
  { command: 'arg "{X}"', arrives: one() },
  { command: 'arg "a{X}b"', arrives: one('a', 'b') },
  { command: `arg '{X}'`, arrives: one() },
  { command: `arg 'a"{X}"b'`, arrives: one('a"', '"b') },
  { command: `arg $'{X}'`, arrives: one() },
  { command: `arg $'\\x4{X}\\''`, arrives: one('\x04', "'") },
  { command: 'arg $"{X}"', arrives: one() },
  { command: `arg "a"{X}'b'`, arrives: one('a', 'b') },
  { command: `arg {X}"{X}"'{X}'`, arrives: (value) => ['1', value + value + value] },
  { command: 'arg \\{X}', arrives: one() },
  { command: 'arg \\\\{X}', arrives: one('\\') },
  { command: 'arg "\\{X}"', arrives: one('\\') },
  { command: 'arg "\\\\{X}"', arrives: one('\\') },
  { command: 'arg "$\\{X}"', arrives: one('$\\') },
  { command: `arg $'\\{X}'`, arrives: one('\\') },
  { command: `arg '\\{X}'`, arrives: one('\\') },
  { command: 'arg {a,{X}}', arrives: (value) => ['2', 'a', value] },
  { command: 'arg $# {X}', arrives: (value) => ['2', '0', value] },
  { command: 'arg "$#{X}"', arrives: one('0') },
  { command: `arg "it's {X} isn't"`, arrives: one("it's ", " isn't") },
  { command: `arg "\\"{X}\\""`, arrives: one('"', '"') },
  { command: 'arg "${none:-{a\\}}{X}"', arrives: one('{a}') },
  { command: `arg "\${none##*'}'}" {X}`, arrives: (value) => ['2', '', value] },
];

/** Statements. */
const statements: BashContext[] = [
  { command: 'x={X}; arg "$x"', arrives: one() },
  { command: 'x="{X}" y={X}; arg "$x" "$y"', arrives: two },
  { command: 'x=({X} "{X}"); arg "${x[@]}"', arrives: two },
  { command: 'x=(); x+=({X}); arg "${x[0]}"', arrives: one() },
  { command: '( arg {X} )', arrives: one() },
  { command: '{ arg {X}; }', arrives: one() },
  { command: 'if true; then arg {X}; fi', arrives: one() },
  { command: 'for v in {X}; do arg "$v"; done', arrives: one() },
  { command: 'case {X} in {X}) arg {X};; *) arg no no no;; esac', arrives: one() },
  { command: 'case a in (b) arg no;; a|c) arg "{X}";; esac', arrives: one() },
  { command: '[[ {X} == {X} ]] && arg {X}', arrives: one() },
  { command: `[[ {X} == "{X}" && '{X}' = {X} ]] && arg {X}`, arrives: one() },
  { command: '[ "{X}" = {X} ] && arg {X}', arrives: one() },
  {
    command: '[[ $(printf %s {X} | wc -c) -ge 0 && `printf %s "{X}" | wc -c` -ge 0 ]] && arg {X}',
    arrives: one(),
  },
  { command: '[[ ( {X} == {X} ) && ! ( 1 -eq 2 ) ]] && arg {X}', arrives: one() },
  { command: '[[ {X} =~ {X} ]]; arg {X}', arrives: one() },
  { command: 'f() { arg {X}; }; f', arrives: one() },
  { command: 'true && arg {X} || arg no', arrives: one() },
  { command: 'arg {X} >&1 2>/dev/null', arrives: one() },
  { command: 'arg {X}>&1', arrives: one() },
  { command: 'arg {X}&\nwait', arrives: one() },
  { command: 'for ((i=0;i<1;i++)); do arg {X}; done', arrives: one() },
  { command: 'arg $((1<<2)) {X}', arrives: (value) => ['2', '4', value] },
  { command: 'arg a # {X} it\'s "\narg {X}', arrives: (value) => ['1', 'a', '1', value] },
  { command: '# {X}\narg {X} # (`', arrives: one() },
  { command: 'cat <<< {X}', arrives: bytes('', '\n'), raw: true },
  { command: 'cat <<<"{X}"', arrives: bytes('', '\n'), raw: true },
  { command: 'cat <(printf %s {X})', arrives: bytes('', ''), raw: true },
];

/** Substitutions. */
const substitutions: BashContext[] = [
  { command: `arg "$(printf '%s.' {X})"`, arrives: one('', '.') },
  { command: `arg "$(printf '%s.' "{X}")"`, arrives: one('', '.') },
  { command: `arg "$(printf '%s.' '{X}')"`, arrives: one('', '.') },
  { command: `arg "$(printf '%s.' $'{X}')"`, arrives: one('', '.') },
  { command: `x=$(printf '%s.' {X}); arg "$x"`, arrives: one('', '.') },
  {
    command: `arg "{X}$(printf '%s.' "$(printf '%s.' "{X}")")"`,
    arrives: (value) => ['1', `${value}${value}..`],
  },
  { command: `arg "$(case a in a) printf '%s.' {X};; esac)"`, arrives: one('', '.') },
  { command: `arg "$( # {X} )\nprintf '%s.' {X})"`, arrives: one('', '.') },
  { command: `arg "$( (printf '%s.' {X}) )"`, arrives: one('', '.') },
  { command: `arg "$((printf '%s.' {X}); (printf b))"`, arrives: one('', '.b') },
  { command: `arg $(( $(printf %s {X} | wc -c) > -1 )) {X}`, arrives: (value) => ['2', '1', value] },
  { command: `(( $(printf %s "{X}" | wc -c) > -1 )) && arg {X}`, arrives: one() },
  { command: 'arg "`printf \'%s.\' {X}`"', arrives: one('', '.') },
  { command: 'x=`printf \'%s.\' {X}`; arg "$x"', arrives: one('', '.') },
  { command: 'x=`printf \'%s.\' "{X}"`; arg "$x"', arrives: one('', '.') },
  { command: 'arg "`printf \'%s.\' "{X}"`"', arrives: one('', '.') },
  { command: 'arg "`printf \'%s.\' \\"{X}\\"`"', arrives: one('', '.') },
  { command: "arg \"`printf '%s.' '{X}'`\"", arrives: one('', '.') },
  { command: "x=`printf '%s.' $'{X}'`; arg \"$x\"", arrives: one('', '.') },
  { command: 'x=`printf \'%s.\' "\\`printf \'%s.\' {X}\\`"`; arg "$x"', arrives: one('', '..') },
  { command: "x=`printf '%s.' $(printf '%s' \"{X}\" | wc -l)`; arg {X}", arrives: one() },
  { command: 'x=`# {X}\nprintf \'%s.\' {X}`; arg "$x"', arrives: one('', '.') },
];

/** Here-documents. */
const heredocs: BashContext[] = [
  { command: 'cat <<EOF\n{X}\nEOF', arrives: bytes('', '\n'), raw: true },
  { command: 'cat <<EOF\na{X}b "{X}" \'\nEOF', arrives: (value) => [`a${value}b "${value}" '\n`], raw: true },
  { command: "cat <<'EOF'\n{X}\nEOF", arrives: bytes('', '\n'), raw: true },
  { command: 'cat <<"EOF"\na {X} $HOME `\nEOF', arrives: bytes('a ', ' $HOME `\n'), raw: true },
  { command: 'cat << \\EOF\n\\{X}\nEOF\narg', arrives: (value) => [`\\${value}\n0`], raw: true },
  { command: 'cat <<EOF\n\\{X}\n\\\\{X}\nEOF', arrives: (value) => [`\\${value}\n\\${value}\n`], raw: true },
  { command: 'cat <<-EOF\n\t{X}\n\t\tb{X}\n\tEOF', arrives: (value) => [`${value}\nb${value}\n`], raw: true },
  {
    command: "cat <<-'EOF'\n\t{X}\n\t\tb{X}\n\tEOF",
    arrives: (value) => [`${value}\nb${value}\n`],
    raw: true,
  },
  { command: 'cat <<-EOF\n\ta\\\n\tb{X}\n\tEOF', arrives: bytes('a\tb', '\n'), raw: true },
  { command: 'cat <<E{X\n{X}\nE{X', arrives: bytes('', '\n'), raw: true },
  { command: "cat <<A - <<'B'\n1{X}\nA\n2{X}\nB", arrives: bytes('2', '\n'), raw: true },
  {
    command: `cat <<EOF\n$(printf '%s.' {X} "{X}")\nEOF`,
    arrives: (value) => [`${value}.${value}.\n`],
    raw: true,
  },
  {
    command: 'cat <<EOF\n`printf \'%s.\' {X} "{X}"`\nEOF',
    arrives: (value) => [`${value}.${value}.\n`],
    raw: true,
  },
  { command: 'arg "$(cat <<EOF\n{X}.\nEOF\n)"', arrives: one('', '.') },
  { command: `arg "$(cat <<'EOF'\n{X}.\nEOF\n)"`, arrives: one('', '.') },
  { command: 'x=`cat <<EOF\n{X}.\nEOF\n`; arg "$x"', arrives: one('', '.') },
  { command: 'x=`cat <<\'EOF\'\n{X}.\nEOF\n`; arg "$x"', arrives: one('', '.') },
  { command: 'while read -r _; do :; done <<EOF && arg {X}\n{X}\nEOF', arrives: one() },
  { command: 'arg "$(cat <<EOF\n{X}.\nEOF)"', arrives: one('', '.') },
  { command: 'cat <<EOF | cat\n{X}\nEOF', arrives: bytes('', '\n'), raw: true },
  { command: '( cat <<EOF )\n{X}\nEOF', arrives: bytes('', '\n'), raw: true },
  { command: 'cat <<EOF # {X}\n{X}\nEOF', arrives: bytes('', '\n'), raw: true },
  { command: 'if true; then\n\tcat <<-EOF\n\t\t{X}\n\tEOF\nfi', arrives: bytes('', '\n'), raw: true },
];

export const bashContexts: readonly BashContext[] = [...words, ...statements, ...substitutions, ...heredocs];
