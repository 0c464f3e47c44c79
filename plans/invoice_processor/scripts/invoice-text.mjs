import { findDates } from './date.mjs';
import { toDecimal } from './money.mjs';
import { readTotal } from './total.mjs';

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
 * left empty; a total that cannot be told for sure is refused.
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
