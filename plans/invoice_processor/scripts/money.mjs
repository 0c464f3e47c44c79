// Money is a whole number of cents (bigint) inside the scripts and decimal text in files: never a float.

const CODES = ['EUR', 'USD', 'GBP', 'CHF', 'SEK', 'NOK', 'DKK', 'PLN', 'CZK', 'CAD', 'AUD', 'NZD'];
const SYMBOLS = { '€': 'EUR', US$: 'USD', CA$: 'CAD', A$: 'AUD', NZ$: 'NZD', '£': 'GBP', 'Fr.': 'CHF' };
const DOLLARS = ['USD', 'CAD', 'AUD', 'NZD'];
const BARE_DOLLAR = '$';

const MARK = String.raw`(?<!\p{L})(?:${CODES.join('|')}|US\$|CA\$|A\$|NZ\$|Fr\.|[€$£])(?!\p{L})`;
// Groups of three with one kind of separator, or plain digits.
const WHOLE = String.raw`\d{1,3}(?:\.\d{3})+|\d{1,3}(?:,\d{3})+|\d{1,3}(?:['’]\d{3})+|\d{1,3}(?: \d{3})+|\d+`;
// Cents, or a dash in their place: "250.00", "250,00", "250.–", "250,--".
const CENTS = String.raw`[.,](?:\d{2}|--?|–|—)`;
const AMOUNT = new RegExp(
  [
    String.raw`(?<open>\()?`,
    String.raw`(?<sign>(?<![\p{L}\d])[-−–] ?)?`,
    String.raw`(?:(?<before>${MARK})[ \t]?)?`,
    String.raw`(?<innerSign>(?<![\p{L}\d])[-−–])?`,
    String.raw`(?<![\p{L}\d.,'’:/]|[\p{L}\d][-−–])(?<whole>${WHOLE})(?<cents>${CENTS})?(?![\d\p{L}]|[.,'’:/]\d|\s?%)`,
    String.raw`(?<trailingSign>[-−](?![\d\p{L}]))?`,
    String.raw`(?:[ \t]?(?<after>${MARK}))?`,
    String.raw`(?<close>\))?`,
    String.raw`(?<credit> ?CR(?!\p{L}))?`,
  ].join(''),
  'gu',
);

/**
 * Every amount in a line: a number with cents, or a whole number with a currency beside it.
 * `cents` is undefined where "Total - 59.90" leaves open whether the dash is a minus.
 */
export function findAmounts(text) {
  const amounts = [];
  for (const match of text.matchAll(AMOUNT)) {
    const part = match.groups;
    const mark = strongerMark(part.before, part.after);
    if (part.cents === undefined && mark === undefined) continue;
    amounts.push({ cents: centsOf(part), mark, start: match.index, end: match.index + match[0].length });
  }
  return amounts;
}

function centsOf(part) {
  const separators = part.whole.replace(/\d/g, '');
  // "1.234.56" is no number in any country.
  if (part.cents !== undefined && separators.includes(part.cents[0])) return undefined;
  if (part.sign?.endsWith(' ')) return undefined;
  const digits = part.whole.replace(/\D/g, '') + (part.cents ?? '').replace(/\D/g, '').padEnd(2, '0');
  const isInParentheses = part.open !== undefined && part.close !== undefined;
  const isNegative = isInParentheses || (part.sign ?? part.innerSign ?? part.trailingSign ?? part.credit);
  return isNegative ? -BigInt(digits) : BigInt(digits);
}

/** "$100.00 CAD": the code says more than the sign. */
function strongerMark(before, after) {
  return before === BARE_DOLLAR ? (after ?? before) : (before ?? after);
}

/**
 * The ISO codes that a mark can stand for in this document; without a mark, all that the document names.
 * A bare $ is the dollar that the document names, and the US dollar where it names none.
 */
export function currenciesFor(mark, text) {
  if (mark !== undefined && mark !== BARE_DOLLAR) return [SYMBOLS[mark] ?? mark];
  const marks = [...text.matchAll(new RegExp(MARK, 'gu'))].map((match) => match[0]);
  const named = [
    ...new Set(marks.filter((each) => each !== BARE_DOLLAR).map((each) => SYMBOLS[each] ?? each)),
  ];
  if (mark === undefined && !marks.includes(BARE_DOLLAR)) return named;
  const dollars = named.filter((code) => DOLLARS.includes(code));
  if (mark === undefined && dollars.length < named.length) return [...new Set([...named, 'USD'])];
  return dollars.length === 0 ? ['USD'] : dollars;
}

/** Takes the marks and codes out of a text, so that only its words are left. */
export function withoutCurrency(text) {
  return text.replace(new RegExp(MARK, 'gu'), ' ');
}

export function toDecimal(cents) {
  const digits = String(cents < 0n ? -cents : cents).padStart(3, '0');
  return `${cents < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

export function toCents(decimal) {
  return BigInt(decimal.replace('.', ''));
}
