import { findDates } from './date.mjs';
import { currenciesFor, findAmounts, toDecimal, withoutCurrency } from './money.mjs';
import { Refusal } from './step.mjs';

// Labels in lower case, without punctuation and digits. The first kind always means the gross sum ...
const GROSS_LABELS = new Set([
  ...[
    'grand total',
    'invoice total',
    'total invoice',
    'invoice amount',
    'total gross',
    'gross total',
    'gross amount',
  ],
  ...['total credit', 'credit total', 'total refund', 'total ttc', 'montant total ttc'],
  ...[
    'gesamtbetrag',
    'rechnungsbetrag',
    'rechnungssumme',
    'endbetrag',
    'endsumme',
    'bruttobetrag',
    'bruttosumme',
  ],
  ...['gesamt brutto', 'summe brutto', 'gesamtbetrag brutto', 'gutschriftsbetrag'],
]);
// ... and these do where nothing else on the invoice says otherwise.
const TOTAL_LABELS = new Set([
  ...['total', 'total amount', 'total sum', 'total due', 'total amount due', 'amount due', 'balance due'],
  ...[
    'total payable',
    'amount payable',
    'total to pay',
    'to pay',
    'montant total',
    'total à payer',
    'net à payer',
  ],
  ...['summe', 'gesamt', 'gesamtsumme', 'total betrag', 'zu zahlen', 'zu zahlender betrag', 'zahlbetrag'],
]);
const WITH_TAX =
  /\b(?:inc|incl|including|inclusive|inkl|inklusive|einschl|einschließlich)\b[\s.]*(?:\d+(?:[.,]\d+)?\s?%\s*)?(?:of |all |der |gesetzl\.? )?(?:sales )?(?:vat|tax|taxes|gst|mwst|ust|mehrwertsteuer|umsatzsteuer|tva)(?!\p{L})/u;
const UNITS = /^(?:items?|pcs|pieces|units|stk|stück|positionen)$/u;

const NUMBER_LABEL =
  /(?:invoice|credit note|bill|rechnung|gutschrift|facture)s?(?:[ -]?(?:number|nummer|num|no|nr|ref|id|n°)(?!\p{L})\.?| ?#)|rechnungsnr\.?|beleg-?(?:nummer|nr\.?)/iu;
const NUMBER_TITLE = /^(?:tax )?(?:invoice|credit note|rechnung|gutschrift|facture)(?!\p{L})/iu;
const NUMBER = /^[\s:#]*(?<number>(?=[^\s]*\d)[\p{L}\d](?:[\p{L}\d/._-]*[\p{L}\d])?)(?=[\s,;)]|$)/u;

const INVOICE_DATE_LABEL =
  /(?:invoice|issue|credit note|bill|tax) date|date of (?:issue|invoice)|date issued|issued(?: on)?|rechnungsdatum|belegdatum|ausstellungsdatum|date de facture/iu;
const PLAIN_DATE_LABEL = /^(?:date|datum)(?!\p{L})(?! (?:due|of))/iu;
const OTHER_DATE =
  /due|deliver|payable|pay by|period|order|until|fällig|liefer|leistung|zahlbar|bestell|bis|échéance|livraison/iu;

/**
 * Reads an invoice from the lines of its PDF, columns parted by tabs. A missing number or date is
 * left empty; a total that cannot be told for sure is refused, since a wrong sum is worse than none.
 */
export function readInvoice(pdfLines) {
  const lines = pdfLines.map((line) => line.normalize('NFKC').trim());
  const total = readTotal(lines);
  return {
    invoice_number: readNumber(lines),
    date: readDate(lines, total.currency === 'USD'),
    currency: total.currency,
    total: toDecimal(total.cents),
  };
}

function readTotal(lines) {
  const found = lines.flatMap((line, row) => totalsInLine(line, lines[row + 1] ?? ''));
  const gross = found.filter((each) => each.isGross);
  const totals = gross.length > 0 ? gross : found;
  const [first] = totals;
  if (first === undefined) throw new Refusal('no readable total');

  const unclear = totals.find((each) => each.cents === undefined);
  if (unclear !== undefined)
    throw new Refusal(`no readable total: "${shown(unclear.line)}" can be read in two ways`);
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
  return { cents: last.cents, mark: last.mark ?? own.find((amount) => amount.mark !== undefined)?.mark };
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

function readNumber(lines) {
  for (const label of [NUMBER_LABEL, NUMBER_TITLE]) {
    for (const text of textsAtLabel(lines, label)) {
      const number = NUMBER.exec(text)?.groups?.number;
      if (number !== undefined) return number;
    }
  }
  return '';
}

function readDate(lines, monthFirst) {
  for (const label of [INVOICE_DATE_LABEL, PLAIN_DATE_LABEL]) {
    for (const text of textsAtLabel(lines, label)) {
      const [date] = findDates(text.split('\t').find((cell) => /\p{L}|\d/u.test(cell)) ?? '', { monthFirst });
      if (date !== undefined) return date.iso;
    }
  }
  const unlabelled = lines
    .filter((line) => !OTHER_DATE.test(line))
    .flatMap((line) => findDates(line, { monthFirst }));
  const dates = new Set(unlabelled.map((date) => date.iso));
  return dates.size === 1 ? [...dates].join() : '';
}

/** The texts that can belong to a label: what follows it in its line, and the cell below it. */
function textsAtLabel(lines, label) {
  return lines.flatMap((line, row) => {
    const cells = line.split('\t');
    const cellsBelow = (lines[row + 1] ?? '').split('\t');
    return cells.flatMap((cell, column) => {
      const match = label.exec(cell);
      if (match === null) return [];
      const rest = [cell.slice(match.index + match[0].length), ...cells.slice(column + 1)].join('\t');
      return cells.length === cellsBelow.length ? [rest, cellsBelow[column] ?? ''] : [rest];
    });
  });
}

function shown(line) {
  return line.replaceAll('\t', ' ');
}
