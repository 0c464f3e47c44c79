import type { PlaceholderPart, QuotingContext } from './command-parts.ts';

const inTestOfName: QuotingContext = {
  kind: 'unsafe',
  why: 'where bash reads the name of a variable',
  hint: 'Write the name of the variable itself.',
};

/** Follows words of a command list: where they start, `case`, `[[` and array subscripts. */
export class WordTracker {
  private readonly text: string;
  private wordStart: number | null = null;
  private atCommand = true;
  private cases = 0;
  private insideTest = false;
  private subscripted = false;
  /** How many brackets are open in the word, up to where it was looked at. */
  private openBrackets = 0;
  private countedTo = -1;
  /** What the command does to its arguments: `let` calculates, `unset` reads names. */
  private argumentsAre: 'arithmetic' | 'name' | null = null;
  private declares = false;
  /** What the word before says of the next. */
  private operator: 'arithmetic' | 'name' | null = null;
  /** What the word before said of this one. */
  private restriction: 'arithmetic' | 'name' | null = null;
  private lastOperand: PlaceholderPart[] = [];

  constructor(text: string) {
    this.text = text;
  }

  get atStart(): boolean {
    return this.wordStart === null;
  }

  get inWord(): boolean {
    return this.wordStart !== null;
  }

  /** Between `[[` and `]]`, where parentheses only group. */
  get inTest(): boolean {
    return this.insideTest;
  }

  get inCase(): boolean {
    return this.cases > 0;
  }

  /** Inside `name[` of a word: bash calculates there when the word turns out to be an assignment. */
  inSubscript(position: number): boolean {
    if (!this.subscripted || this.wordStart === null) return false;
    // Past so many characters it is no name of an element any more; to take it for one is safe.
    const end = Math.min(position, this.wordStart + 4096);
    // Asked for every character of the word, so that what was counted is not counted again.
    if (this.countedTo < this.wordStart || this.countedTo > end) {
      this.countedTo = this.wordStart;
      this.openBrackets = 0;
    }
    for (; this.countedTo < end; this.countedTo += 1) {
      const char = this.text[this.countedTo];
      if (char === '[') this.openBrackets += 1;
      else if (char === ']') this.openBrackets -= 1;
    }
    return this.openBrackets > 0;
  }

  /** A placeholder stands in the current word. */
  touch(position: number, part: PlaceholderPart): void {
    if (this.wordStart === null) this.begin(position);
    if (this.argumentsAre !== null) restrict(part, this.argumentsAre);
    if (!this.inTest) return;
    if (this.restriction !== null) restrict(part, this.restriction);
    this.lastOperand.push(part);
  }

  begin(position: number): void {
    this.wordStart = position;
    this.countedTo = -1;
    const assignment = /[A-Za-z_]\w*\[|\[(?![[\s])/y;
    assignment.lastIndex = position;
    this.subscripted = assignment.test(this.text);
    const word = /[^\s;&|<>()'"`$\\]+(?=[\s;&|<>()]|$)/y;
    word.lastIndex = position;
    const name = word.exec(this.text)?.[0] ?? '';
    if (this.inTest) this.readTestWord(name);
    else this.readCommandWord(name);
  }

  separate(position: number, ends_command: boolean): void {
    const word =
      this.wordStart === null
        ? null
        : this.text.slice(this.wordStart, Math.min(position, this.wordStart + 8));
    if (word !== null && !ends_command) this.atCommand = this.atCommand && keepsCommandPosition.has(word);
    this.wordStart = null;
    if (ends_command) {
      this.atCommand = true;
      this.argumentsAre = null;
      this.declares = false;
    }
  }

  private readCommandWord(name: string): void {
    if (this.declares && /^-[A-Za-z]*i/.test(name)) this.argumentsAre = 'arithmetic';
    if (!this.atCommand) return;
    this.declares = declarations.has(name);
    if (name === 'let') this.argumentsAre = 'arithmetic';
    if (name === 'unset') this.argumentsAre = 'name';
    if (name === 'case') this.cases += 1;
    else if (name === 'esac' && this.cases > 0) this.cases -= 1;
    else if (name === '[[') {
      this.insideTest = true;
      this.lastOperand = [];
      this.operator = null;
    }
  }

  private readTestWord(name: string): void {
    this.restriction = this.operator;
    this.operator = null;
    if (name === ']]') {
      this.insideTest = false;
      this.restriction = null;
    } else if (/^-(?:eq|ne|lt|le|gt|ge)$/.test(name)) {
      for (const part of this.lastOperand) restrict(part, 'arithmetic');
      this.operator = 'arithmetic';
    } else if (name === '-v') {
      this.operator = 'name';
    }
    this.lastOperand = [];
  }
}

const declarations = new Set(['declare', 'typeset', 'local', 'readonly', 'export']);

const keepsCommandPosition = new Set([
  'if',
  'then',
  'else',
  'elif',
  'while',
  'until',
  'do',
  '!',
  '{',
  'time',
]);

function restrict(part: PlaceholderPart, operator: 'arithmetic' | 'name'): void {
  if (part.context.kind === 'unsafe') return;
  part.context = operator === 'name' ? inTestOfName : { kind: 'integer', in_test: true };
}
