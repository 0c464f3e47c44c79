import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findDates } from '../../../plans/invoice_processor/scripts/date.mjs';
import { readInvoice } from '../../../plans/invoice_processor/scripts/invoice-text.mjs';
import { findAmounts, toCents, toDecimal } from '../../../plans/invoice_processor/scripts/money.mjs';

/** `|` stands for the gap between two columns. */
function invoiceOf(...lines: string[]) {
  return readInvoice(lines.map((line) => line.replaceAll('|', '\t')));
}

describe('amounts', () => {
  it.each([
    ['1.234,56 €', '1234.56', 'EUR'],
    ['€1.234,56', '1234.56', 'EUR'],
    ['$1,234.56', '1234.56', 'USD'],
    ['US$ 1,234.56', '1234.56', 'USD'],
    ['$100.00 CAD', '100.00', 'CAD'],
    ['£12,345,678.90', '12345678.90', 'GBP'],
    ["CHF 1'234.50", '1234.50', 'CHF'],
    ['CHF 1’234.50', '1234.50', 'CHF'],
    ['Fr. 250.–', '250.00', 'CHF'],
    ['250,-- EUR', '250.00', 'EUR'],
    ['1 234,56 EUR', '1234.56', 'EUR'],
    ['1\u2009234,56 €', '1234.56', 'EUR'],
    ['1\u202f234\u202f567,89\u00a0€', '1234567.89', 'EUR'],
    ['0,05 €', '0.05', 'EUR'],
    ['1.234 €', '1234.00', 'EUR'],
    ['1200 EUR', '1200.00', 'EUR'],
    ['-59,90 EUR', '-59.90', 'EUR'],
    ['\u221259,90 EUR', '-59.90', 'EUR'],
    ['59,90- EUR', '-59.90', 'EUR'],
    ['EUR -59,90', '-59.90', 'EUR'],
    ['-$1,059.90', '-1059.90', 'USD'],
    ['$-1,059.90', '-1059.90', 'USD'],
    ['($59.90)', '-59.90', 'USD'],
    ['GBP 59.90 CR', '-59.90', 'GBP'],
    ['$|1,234.56', '1234.56', 'USD'],
  ])('reads %s', (written, total, currency) => {
    expect(invoiceOf(`Total|${written}`)).toMatchObject({ total, currency });
    expect(invoiceOf(`Total: ${written}`)).toMatchObject({ total, currency });
  });

  it.each([
    '12.5 EUR',
    '1.234.56 EUR',
    '1,23,456.00 EUR',
    '12 %',
    '12.345,6 EUR',
    'EUR',
    '10.00.2026',
    '- 59,90 EUR',
  ])('does not guess at %s', (written) => {
    expect(() => invoiceOf(`Total: ${written}`)).toThrow('no readable total');
  });

  it('reads back every amount in every way of writing it', () => {
    const styles = [
      [',', '.'],
      ['.', ','],
      ["'", '.'],
      [' ', ','],
      ['', '.'],
    ] as const;
    const amounts = fc.tuple(fc.bigInt(0n, 10n ** 15n), fc.boolean(), fc.constantFrom(...styles));
    fc.assert(
      fc.property(amounts, ([cents, isNegative, [thousands, decimal]]) => {
        const digits = String(cents).padStart(3, '0');
        const whole = digits.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, thousands);
        const expected = isNegative ? -cents : cents;
        const found = findAmounts(`${isNegative ? '-' : ''}${whole}${decimal}${digits.slice(-2)} EUR`);
        expect(found.map((amount) => amount.cents)).toEqual([expected]);
        expect(toCents(toDecimal(expected))).toBe(expected);
      }),
    );
  });

  it.each([
    [0n, '0.00'],
    [5n, '0.05'],
    [-5n, '-0.05'],
    [-10_050n, '-100.50'],
    [9_007_199_254_740_993n, '90071992547409.93'],
  ])('writes %s cents as %s', (cents, decimal) => {
    expect(toDecimal(cents)).toBe(decimal);
    expect(toCents(decimal)).toBe(cents);
  });
});

describe('the total', () => {
  it.each<[string, string[], string]>([
    ['is not the subtotal or the tax', ['Subtotal 100.00', 'VAT 20% 20.00', 'Total 120.00'], '120.00'],
    [
      'is not the net sum',
      ['Net total|100.00', 'Total excl. VAT|100.00', 'Total VAT|20.00', 'Total|120.00'],
      '120.00',
    ],
    ['is not the German subtotal', ['Zwischensumme 100,00', 'MwSt. 19,00', 'Gesamtbetrag 119,00'], '119.00'],
    ['can come first', ['Total due: 120.00', 'of which VAT 20.00'], '120.00'],
    ['has the tax behind it', ['Gesamtbetrag 119,00 inkl. 19,00 MwSt.'], '119.00'],
    ['has the tax behind it in parentheses', ['Total: 119.00 (incl. 19.00 VAT)'], '119.00'],
    ['has the tax rate in its label', ['Gesamtbetrag inkl. 19 % MwSt.: 119,00'], '119.00'],
    ['has its tax included', ['Total|100.00', 'Total (VAT included)|120.00'], '120.00'],
    ['has a decimal tax rate in its label', ['Total incl. 7.25% tax|107.25'], '107.25'],
    ['is the gross one of two', ['Total|100.00', 'VAT|20.00', 'Total incl. VAT|120.00'], '120.00'],
    ['is the grand one of two', ['Total|100.00', 'Shipping|5.00', 'Grand total|105.00'], '105.00'],
    ['is the last figure of a table foot', ['Item|Net|VAT|Gross', 'Total|100.00|20.00|120.00'], '120.00'],
    ['stands after the count of items', ['Total|14 pcs|120.00'], '120.00'],
    ['stands after a bare count', ['Total|14|120.00'], '120.00'],
    ['ends before the next label', ['Total|120.00|Paid|20.00'], '120.00'],
    ['may be said twice', ['Total|120.00', 'VAT|20.00', 'Amount due|120.00'], '120.00'],
    ['stands in the box under its label', ['Invoice no.|Total due', '7|120.00'], '120.00'],
    ['stands in the line under its label', ['Total', '120.00'], '120.00'],
    ['is no column of item prices', ['Text|Total', 'Chair|60.00', 'Table|60.00', 'Total|120.00'], '120.00'],
    ['is no item with such a name', ['Total Care Package|60.00', 'Totally new|1.00', 'Total|61.00'], '61.00'],
    ['is negative on a credit note', ['Credit note', 'Total credit|-120.00'], '-120.00'],
    ['is written in capitals', ['TOTAL DUE:|120.00'], '120.00'],
  ])('%s', (_, lines, total) => {
    expect(invoiceOf('All prices in EUR', ...lines)).toMatchObject({ total, currency: 'EUR' });
  });

  it.each<[string, string[], string]>([
    ['there is none', ['Invoice no. 7', 'Subtotal|EUR 5.00'], 'no readable total'],
    ['only a sentence stands under the label', ['Total', 'EUR 5.00 was paid before'], 'no readable total'],
    ['words part the label from the figures', ['Total|net|EUR 5.00|gross|EUR 6.00'], 'no readable total'],
    ['the page is empty', [''], 'no readable total'],
    [
      'two totals differ',
      ['Total|500.00 EUR', 'Amount due|300.00 EUR'],
      'no readable total: "Total 500.00 EUR" and "Amount due 300.00 EUR" differ',
    ],
    ['nothing names a currency', ['Total|5.00'], 'no readable total: "Total 5.00" has no currency'],
    [
      'the currency is open',
      ['Rate EUR to CHF on request', 'Total|5.00'],
      'no readable total: "Total 5.00" may be in EUR or CHF',
    ],
    [
      'it is in two currencies',
      ['Total|100.00 EUR|108.30 USD'],
      'no readable total: "Total 100.00 EUR 108.30 USD" is not clear',
    ],
    [
      'the last figure is not the largest',
      ['Total|119.00 EUR|19.00 EUR'],
      'no readable total: "Total 119.00 EUR 19.00 EUR" is not clear',
    ],
    ['a dash may be a minus', ['Total - 59.90 EUR'], 'no readable total: "Total - 59.90 EUR" is not clear'],
  ])('is refused when %s', (_, lines, message) => {
    expect(() => invoiceOf(...lines)).toThrow(new Error(message));
  });

  it('takes a bare $ for the dollar that the invoice names', () => {
    expect(invoiceOf('All amounts in CAD', 'Total|$5.00').currency).toBe('CAD');
    expect(invoiceOf('Total|$5.00').currency).toBe('USD');
  });
});

describe('dates', () => {
  it.each([
    ['2026-03-05', '2026-03-05'],
    ['2026/3/5', '2026-03-05'],
    ['05.03.2026', '2026-03-05'],
    ['5. 3. 26', '2026-03-05'],
    ['5. März 2026', '2026-03-05'],
    ['5 March 2026', '2026-03-05'],
    ['5th March, 2026', '2026-03-05'],
    ['March 5, 2026', '2026-03-05'],
    ['Sept. 5, 2026', '2026-09-05'],
    ['05-Mar-2026', '2026-03-05'],
    ['1er août 2026', '2026-08-01'],
    ['05/03/2026', '2026-03-05'],
    ['25/03/2026', '2026-03-25'],
    ['03/25/2026', '2026-03-25'],
    ['29.02.2028', '2028-02-29'],
  ])('reads %s', (written, iso) => {
    expect(findDates(`on ${written}`, { monthFirst: false }).map((date) => date.iso)).toEqual([iso]);
  });

  it.each([
    '30.02.2026',
    '2026-13-01',
    '5 Marvel 2026',
    '1.2.3',
    '192.168.10.2026',
    '12/2026',
  ])('finds none in %s', (written) => {
    expect(findDates(written, { monthFirst: false })).toEqual([]);
  });

  it('puts the month first on invoices in US dollars', () => {
    expect(invoiceOf('Date: 03/05/2026', 'Total: $1.00').date).toBe('2026-03-05');
    expect(invoiceOf('Date: 03/05/2026', 'Total: £1.00').date).toBe('2026-05-03');
  });

  it.each<[string, string[], string]>([
    ['the labelled one', ['Due date: 2026-04-01', 'Invoice date: 2026-03-01'], '2026-03-01'],
    ['the plainly labelled one', ['Delivery date: 2026-04-01', 'Date|2026-03-01'], '2026-03-01'],
    ['the one in the box below', ['Invoice date|Due date', '2026-03-01|2026-04-01'], '2026-03-01'],
    ['the only one that is no due date', ['Hamburg, den 01.03.2026', 'Zahlbar bis 01.04.2026'], '2026-03-01'],
    ['none where two could be meant', ['2026-03-01', '2026-03-02'], ''],
  ])('takes %s', (_, lines, date) => {
    expect(invoiceOf(...lines, 'Total: EUR 1.00').date).toBe(date);
  });
});

describe('the invoice number', () => {
  it.each<[string, string]>([
    ['Invoice number: INV-2026/014', 'INV-2026/014'],
    ['Invoice no. 7', '7'],
    ['Invoice No|4711|Date|2026-03-01', '4711'],
    ['Invoice #12-B', '12-B'],
    ['Rechnungsnummer: RE_2026.7', 'RE_2026.7'],
    ['Rechnungs-Nr. 26/0457', '26/0457'],
    ['Rechnung Nr. 5', '5'],
    ['Credit note no. CN-1', 'CN-1'],
    ['Facture n° F-22', 'F-22'],
    ['Invoice 2026-118', '2026-118'],
    ['Invoice date: 2026-03-01', ''],
    ['Order no. 99', ''],
    ['Invoice for services', ''],
  ])('of "%s" is "%s"', (line, number) => {
    expect(invoiceOf(line, 'Total: EUR 1.00').invoice_number).toBe(number);
  });

  it('stands in the box under its label', () => {
    expect(invoiceOf('Date|Invoice no.', '2026-03-01|A-9', 'Total: EUR 1.00').invoice_number).toBe('A-9');
  });
});
