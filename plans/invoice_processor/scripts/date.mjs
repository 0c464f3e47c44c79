const MONTHS = [
  ['jan', 'januar', 'january', 'jänner', 'janvier'],
  ['feb', 'februar', 'february', 'février'],
  ['mar', 'mär', 'mrz', 'märz', 'march', 'mars'],
  ['apr', 'april', 'avril'],
  ['may', 'mai'],
  ['jun', 'juni', 'june', 'juin'],
  ['jul', 'juli', 'july', 'juillet'],
  ['aug', 'august', 'août'],
  ['sep', 'sept', 'september', 'septembre'],
  ['oct', 'okt', 'october', 'oktober', 'octobre'],
  ['nov', 'november', 'novembre'],
  ['dec', 'dez', 'december', 'dezember', 'décembre'],
];

const PATTERNS = [
  // 2026-03-05, 2026/03/05
  /(?<!\d)(?<year>\d{4})[-/](?<month>\d{1,2})[-/](?<day>\d{1,2})(?!\d)/u,
  // 05.03.2026, 5. 3. 26
  /(?<![\d.])(?<day>\d{1,2})\. ?(?<month>\d{1,2})\. ?(?<year>\d{4}|\d{2})(?![\d.])/u,
  // 05/03/2026, 05-03-2026: which is the month depends on the country
  /(?<![\d/-])(?<first>\d{1,2})(?<separator>[/-])(?<second>\d{1,2})\k<separator>(?<year>\d{4}|\d{2})(?![\d/-])/u,
  // 5 March 2026, 5. März 2026, 5th Mar 2026, 05-Mar-2026
  /(?<!\d)(?<day>\d{1,2})(?:\.|st|nd|rd|th|er)?[ -]?(?<name>\p{L}{3,9})\.?,?[ -](?<year>\d{4})(?!\d)/u,
  // March 5, 2026
  /(?<!\p{L})(?<name>\p{L}{3,9})\.? (?<day>\d{1,2})(?:st|nd|rd|th)?,? (?<year>\d{4})(?!\d)/u,
];

/** Every date in a text as `{ iso, start }`, leftmost first; what is on no calendar is left out. */
export function findDates(text, { monthFirst }) {
  const dates = [];
  for (const pattern of PATTERNS) {
    for (const match of text.matchAll(new RegExp(pattern, 'gu'))) {
      const iso = toIso(match.groups, monthFirst);
      if (iso !== undefined) dates.push({ iso, start: match.index });
    }
  }
  return dates.sort((a, b) => a.start - b.start);
}

function toIso({ year, month, day, name, first, second }, monthFirst) {
  const fullYear = year.length === 2 ? `20${year}` : year;
  if (name !== undefined) return checked(fullYear, monthNumber(name), Number(day));
  if (first === undefined) return checked(fullYear, Number(month), Number(day));
  const dayFirst = checked(fullYear, Number(second), Number(first));
  const american = checked(fullYear, Number(first), Number(second));
  return monthFirst ? (american ?? dayFirst) : (dayFirst ?? american);
}

function monthNumber(name) {
  return MONTHS.findIndex((names) => names.includes(name.toLowerCase())) + 1;
}

function checked(year, month, day) {
  const iso = `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
  const date = new Date(`${iso}T00:00:00Z`);
  // 30 February rolls over into March.
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(iso) ? iso : undefined;
}
