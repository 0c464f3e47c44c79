// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is bash.
import { describe, expect, test } from 'vitest';
import {
  checkCommandSyntax,
  findPlaceholders,
  renderCommand,
  renderText,
  TemplateError,
  type TemplateValues,
} from '../../../../shared-types/src/index.ts';

const values: TemplateValues = {
  variables: { NAME: "it's", N: '-7', ZERO: '007', BATCH_PATH: '/b', FLAGS: '-a "b c"' },
  item: { id: 3, ok: true, none: null, größe: 'xl', deep: { a: ['x', 'y'] } },
  item_index: 12,
};

function failure(command: string, given: TemplateValues = values): TemplateError {
  try {
    renderCommand(command, given);
  } catch (error) {
    if (error instanceof TemplateError) return error;
    throw error;
  }
  throw new Error(`rendered: ${command}`);
}

describe('findPlaceholders', () => {
  test('finds names, items and :raw, and leaves every other brace', () => {
    const text =
      '{NAME} ${HOME} {a,b} {ITEM} {ITEM.a.b-c} {ITEM_INDEX} {X:raw} {name} {} { NAME } {"A": 1} {n++}';
    expect(findPlaceholders(text).map((found) => found.text)).toEqual([
      '{NAME}',
      '{ITEM}',
      '{ITEM.a.b-c}',
      '{ITEM_INDEX}',
      '{X:raw}',
    ]);
  });

  test('tells where they stand and what they name', () => {
    expect(findPlaceholders('a {ITEM.x.y} {N:raw}')).toEqual([
      {
        text: '{ITEM.x.y}',
        name: 'ITEM.x.y',
        path: ['x', 'y'],
        is_item: true,
        raw: false,
        start: 2,
        end: 12,
      },
      { text: '{N:raw}', name: 'N', path: [], is_item: false, raw: true, start: 13, end: 20 },
    ]);
  });
});

describe('renderText', () => {
  test('inserts values as they are', () => {
    expect(renderText('Dear {NAME}, "{ITEM.id}" {ITEM_INDEX} ${HOME}', values)).toBe(
      'Dear it\'s, "3" 12 ${HOME}',
    );
  });

  test('writes every kind of item', () => {
    expect(renderText('{ITEM.ok}|{ITEM.none}|{ITEM.größe}|{ITEM.deep}|{ITEM.deep.a.1}', values)).toBe(
      'true||xl|{"a":["x","y"]}|y',
    );
    expect(renderText('{ITEM}', { variables: {}, item: 'de' })).toBe('de');
  });

  test('does not read values again', () => {
    expect(renderText('{A}{B}', { variables: { A: '{B}', B: '{A}' } })).toBe('{B}{A}');
  });
});

describe('renderCommand', () => {
  test('leaves a command without placeholders as it is, even one it cannot read', () => {
    expect(renderCommand("echo 'a", values)).toBe("echo 'a");
  });

  test('inserts :raw verbatim', () => {
    expect(renderCommand('ls {FLAGS:raw} {NAME}', values)).toBe(`ls -a "b c" 'it'\\''s'`);
  });

  test('takes whole numbers where bash calculates', () => {
    expect(renderCommand('echo $((1-{N})) $(({ZERO}*2)); ((x={ITEM.id}))', values)).toBe(
      'echo $((1-(-7))) $((7*2)); ((x=3))',
    );
    expect(renderCommand('[[ {N} -lt {ITEM.id} && {NAME} == x ]]', values)).toBe(
      "[[ -7 -lt 3 && 'it'\\''s' == x ]]",
    );
    expect(renderCommand('a[{ITEM.id}]=x b=([{ITEM.id}]=y)', values)).toBe('a[3]=x b=([3]=y)');
  });

  test.each([
    'echo $(({NAME}))',
    '(( x = {NAME} ))',
    'for ((i=0;i<{NAME};i++)); do :; done',
    'echo $[ {NAME} ]',
    'echo $((1 + "{NAME}"))',
    'a[{NAME}]=1',
    'a["{NAME}"]=1',
    'a=([{NAME}]=1)',
    '[[ {NAME} -eq 1 ]]',
    'a[b[1]+{NAME}]=1',
    'let x={NAME}',
    'if true; then let "x = {NAME}"; fi',
    'declare -gi x={NAME}',
    '[[ 1 -lt "{NAME}" ]]',
    '[[ -n x && 1 -ge {NAME} ]]',
    '[[ ( {NAME} -eq 1 ) || x ]]',
    'if [[ ! ( a = b && 1 -ne a{NAME} ) ]]; then :; fi',
    '[[ 1 -eq $(echo a)"{NAME}" ]]',
  ])('refuses text where bash calculates: %s', (command) => {
    expect(failure(command).code).toBe('not_an_integer');
  });

  test.each([
    'echo ${x:-{NAME}}',
    'echo "${x:-{NAME}}"',
    'echo "${x/{NAME}/b}"',
    'echo ${x:-$(echo {NAME})}',
    'cat <<{NAME}\nx\n',
    '[[ -v {NAME} ]]',
    'unset {NAME}',
    'cat <<A\n$(cat <<B\n{NAME}\nB\n)\nA',
    'echo $\\{NAME}',
    'echo $((\\{NAME}))',
  ])('refuses where nothing is safe: %s', (command) => {
    const error = failure(command);
    expect(error.code).toBe('unsafe_context');
    expect(error.placeholder).toBe('{NAME}');
    expect(error.hint).not.toBeNull();
  });

  test.each([
    ['echo {NOPE}', 'unknown_placeholder', '{NOPE}'],
    ['echo {ITEM.nope}', 'missing_item_field', '{ITEM.nope}'],
    ['echo {ITEM.id.x}', 'missing_item_field', '{ITEM.id.x}'],
    ['echo {ITEM.toString}', 'missing_item_field', '{ITEM.toString}'],
    ['echo {ITEM:raw}', 'raw_not_allowed', '{ITEM:raw}'],
    ['echo {BATCH_PATH:raw}', 'raw_not_allowed', '{BATCH_PATH:raw}'],
    ["echo {NAME} 'x", 'unbalanced_quote', '{NAME}'],
  ])('%s is %s', (command, code, placeholder) => {
    expect(failure(command)).toMatchObject({ code, placeholder });
  });

  test('names the fields of the item', () => {
    expect(failure('echo {ITEM.nope}').message).toContain('id, ok, none, größe, deep');
  });

  test('refuses NUL, and items where there are none', () => {
    expect(failure('echo {A}', { variables: { A: 'a\0b' } }).code).toBe('nul_in_value');
    expect(failure('echo {ITEM.id}', { variables: {} }).code).toBe('no_item');
    expect(failure('echo {toString}{A}', { variables: {} }).code).toBe('unknown_placeholder');
  });

  test('keeps the text around a here-document', () => {
    const command = "cat <<-'X' > f\n\ta {ITEM.id}\n\tX\necho {NAME}";
    expect(renderCommand(command, values)).toBe("cat <<'X' > f\na 3\nX\necho 'it'\\''s'");
    expect(renderCommand('cat <<-X\n\ta\n\tX\necho {ITEM.id}', values)).toBe("cat <<-X\n\ta\n\tX\necho '3'");
  });
});

describe('checkCommandSyntax', () => {
  test.each([
    ["echo 'a", 5, 'single quote'],
    ['echo "a $(b "c)', 12, 'double quote'],
    ['echo $(a', 5, 'parenthesis'],
    ['echo `a', 5, 'backtick'],
    ['echo ${a', 5, 'brace'],
    ['cat <<EOF\na\n', 4, 'here-document'],
    ['cat <<EOF\n  EOF\n', 4, 'here-document'],
    ['(a', 0, 'parenthesis'],
    ["echo `echo 'a`", 11, 'single quote'],
  ])('%j is open at %i', (command, offset, what) => {
    expect(checkCommandSyntax(command)).toEqual({ what: expect.stringContaining(what), offset });
  });

  test.each([
    "echo it\\'s",
    "# it's",
    'case $x in a) echo 1;; (b) echo 2;; esac',
    'echo $(case x in x) echo ")";; esac)',
    'cat <<A <<B\n"\nA\n(\nB\n',
    'echo ${x##*/} ${#x} $# $$ ${x//"}"/}',
    `awk '{ if ($1 > 0) { print "it" } }'`,
    'echo $((1 << 2)) $(( (1) ))',
    'f() { echo a; }; (f)',
    'echo a#b "#" \\# ${x#y}',
    `trap 'rm -rf "$tmp"' EXIT`,
    'if [[ $a =~ ^(x|y)$ ]]; then :; fi',
    'echo "${x:-"a"}" "`echo "b"`"',
    'cat <<EOF\nit\'s "\nEOF',
    'select=case; echo case; echo $(echo case)',
  ])('%j is complete', (command) => {
    expect(checkCommandSyntax(command)).toBeNull();
  });
});
