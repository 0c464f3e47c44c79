import { currenciesFor, findAmounts, withoutCurrency } from './money.mjs';
import { Refusal } from './step.mjs';

// Labels in lower case, without punctuation and digits. The first kind always means the gross sum ...
const GROSS_LABELS = labels(`
  grand total, invoice total, total invoice, invoice amount, total gross, gross total, gross amount,
  total credit, credit total, total refund,
  gesamtbetrag, gesamtbetrag brutto, gesamt brutto, bruttobetrag, bruttosumme, summe brutto,
  rechnungsbetrag, rechnungssumme, endbetrag, endsumme, gutschriftsbetrag,
  total ttc, montant total ttc
`);
// ... and these do where nothing else on the invoice says otherwise.
const TOTAL_LABELS = labels(`
  total, total amount, total sum, total due, total amount due, amount due, balance due,
  total payable, amount payable, total to pay, to pay,
  summe, gesamt, gesamtsumme, total betrag, zu zahlen, zu zahlender betrag, zahlbetrag,
  montant total, total à payer, net à payer
`);
const TAX = '(?:sales )?(?:vat|tax|taxes|gst|mwst|ust|mehrwertsteuer|umsatzsteuer|tva)';
const INCLUDING = '(?:inc|incl|including|inclusive|inkl|inklusive|einschl|einschließlich)';
const RATE = String.raw`(?:\d+(?:[.,]\d+)?\s?%\s*)?`;
const WITH_TAX = new RegExp(
  String.raw`(?<!\p{L})(?:${INCLUDING}[\s.]+${RATE}(?:of |all |der |gesetzl\.? )?${TAX}|${TAX}\.? (?:${INCLUDING}|included))(?!\p{L})`,
  'u',
);
const UNITS = /^(?:items?|pcs|pieces|units|stk|stück|positionen)$/u;

/** The total of an invoice; refused where it cannot be told for sure, since a wrong sum is worse than none. */
export function readTotal(lines) {
  const found = lines.flatMap((line, row) => totalsInLine(line, lines[row + 1] ?? ''));
  const gross = found.filter((each) => each.isGross);
  const totals = gross.length > 0 ? gross : found;
  const [first] = totals;
  if (first === undefined) throw new Refusal('no readable total');

  const unclear = totals.find((each) => each.cents === undefined);
  if (unclear !== undefined) throw new Refusal(`no readable total: "${shown(unclear.line)}" is not clear`);
  const other = totals.find((each) => each.cents !== first.cents);
  if (other !== undefined) {
    throw new Refusal(`no readable total: "${shown(first.line)}" and "${shown(other.line)}" differ`);
  }

  const mark = totals.find((each) => each.mark !== undefined)?.mark;
  const currencies = currenciesFor(mark, lines.join('\n'));
  const [currency] = currencies;
  if (currency === undefined) throw new Refusal(`no readable total: "${shown(first.line)}" has no currency`);
  if (currencies.length > 1) {
    throw new Refusal(`no readable total: "${shown(first.line)}" may be in ${currencies.join(' or ')}`);
  }
  return { cents: first.cents, currency };
}

/** The totals that a line states: in the same line as the label, or in the cell under it. */
function totalsInLine(line, lineBelow) {
  const cells = line.split('\t');
  const cellsBelow = lineBelow.split('\t');
  return cells.flatMap((cell, column) => {
    const label = totalLabel(cell);
    if (label === undefined) return [];
    const amount = amountAfterLabel(cells.slice(column).join('\t'));
    if (amount !== undefined) return [{ ...label, ...amount, line }];
    // A lone "Total" can head a column of item prices; only a line of its own is sure.
    if (cells.length !== cellsBelow.length || (cells.length > 1 && !label.isHeading)) return [];
    const below = cellsBelow[column] ?? '';
    const [alone] = findAmounts(below);
    if (alone === undefined || alone.start > 0 || alone.end < below.length) return [];
    return [{ ...label, ...alone, line: `${cell} ${below}` }];
  });
}

function totalLabel(cell) {
  const [amount] = findAmounts(cell);
  const text = withoutCurrency(amount === undefined ? cell : cell.slice(0, amount.start)).toLowerCase();
  const hasTax = WITH_TAX.test(text);
  const words = text.replace(WITH_TAX, ' ').match(/\p{L}+/gu) ?? [];
  const label = words.filter((word) => !UNITS.test(word)).join(' ');
  const isGross = GROSS_LABELS.has(label) || (hasTax && TOTAL_LABELS.has(label));
  if (!isGross && !TOTAL_LABELS.has(label)) return undefined;
  return { isGross, isHeading: isGross || / (?:due|payable)$/u.test(label) };
}

/**
 * The last amount of the row (a table's foot has net, tax and gross side by side), where the row
 * ends at the first word after an amount: "1.190,00 € inkl. 190,00 € MwSt.".
 */
function amountAfterLabel(row) {
  const amounts = findAmounts(row);
  const isNextTo = (amount, index) =>
    index === 0 || !hasWord(row.slice(amounts[index - 1].end, amount.start));
  const stop = amounts.findIndex((amount, index) => !isNextTo(amount, index));
  const own = stop === -1 ? amounts : amounts.slice(0, stop);
  const last = own.at(-1);
  if (last === undefined || !hasOnlyUnits(row, own[0])) return undefined;
  const marks = [...new Set(own.flatMap((amount) => amount.mark ?? []))];
  // "100.00 EUR / 108.30 USD", or a gross sum with the tax behind it: which one is meant is a guess.
  const isClear = marks.length < 2 && own.every((amount) => size(amount.cents) <= size(last.cents));
  return { cents: isClear ? last.cents : undefined, mark: marks[0] };
}

function size(cents = 0n) {
  return cents < 0n ? -cents : cents;
}

function hasWord(text) {
  return /\p{L}/u.test(withoutCurrency(text));
}

/** Between the label's own cell and its first amount nothing may stand but a count of items. */
function hasOnlyUnits(row, amount) {
  const [, ...between] = row.slice(0, amount.start).split('\t');
  const words =
    withoutCurrency(between.join(' '))
      .toLowerCase()
      .match(/\p{L}+/gu) ?? [];
  return words.every((word) => UNITS.test(word));
}

/** Labels that are listed in one text, parted by commas. */
function labels(text) {
  return new Set(text.trim().split(/\s*,\s*/));
}

function shown(line) {
  return line.replaceAll('\t', ' ');
}
