// One function per kind of invoice. They share the data and little else: different words, number
// and date formats, and different places for the total.

/** By the name that `layout` has in invoices.json. */
export const layouts = {
  classic,
  'two-pages': twoPages,
  german,
  swiss,
  american,
  boxes,
  table,
  'credit-note': creditNote,
};

const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);
const GERMAN_MONTHS =
  'Januar Februar März April Mai Juni Juli August September Oktober November Dezember'.split(' ');

/** Subtotal, VAT and total under each other; "EUR 1,234.56"; "09-Jan-2026". */
function classic(sheet, invoice) {
  const { day, monthName, year } = dateParts(invoice.date);
  const money = (cents) => `${invoice.currency} ${grouped(cents, ',', '.')}`;
  const { net, tax, total } = sums(invoice);
  sheet.bold('INVOICE', 60, 80, 22);
  sheet.text(`Invoice number: ${invoice.number}`, 60, 120);
  sheet.text(`Invoice date: ${day}-${monthName.slice(0, 3)}-${year}`, 60, 136);
  sheet.text('Payment due: within 30 days', 60, 152);
  let top = 210;
  for (const item of invoice.items) {
    sheet.text(item.text, 60, top);
    sheet.right(money(toCents(item.amount)), 535, top);
    top += 18;
  }
  sheet.rule(top);
  sheet.text('Subtotal', 360, top + 20);
  sheet.right(money(net), 535, top + 20);
  sheet.text(`VAT ${invoice.tax_rate}`, 360, top + 38);
  sheet.right(money(tax), 535, top + 38);
  sheet.bold('Total', 360, top + 60);
  sheet.boldRight(money(total), 535, top + 60);
}

/** The items fill page 1, which ends in a sum to carry over; the total stands on page 2. */
function twoPages(sheet, invoice) {
  const money = (cents) => `${grouped(cents, ',', '.')} ${invoice.currency}`;
  const { net, tax, total } = sums(invoice);
  sheet.bold(`Invoice ${invoice.number}`, 60, 70, 16);
  sheet.text(`Date of issue: ${invoice.date}`, 60, 95);
  sheet.text('Customer 40117, order of 2025-12-19', 60, 111);
  const step = Math.min(110, 560 / invoice.items.length);
  invoice.items.forEach((item, index) => {
    sheet.text(`${index + 1}. ${item.text}`, 60, 160 + index * step);
    sheet.right(money(toCents(item.amount)), 535, 160 + index * step);
  });
  sheet.text('Carried forward', 360, 790);
  sheet.right(money(net), 535, 790);
  sheet.nextPage();
  sheet.text(`Invoice ${invoice.number}, page 2 of 2`, 60, 60);
  sheet.text('Brought forward', 360, 100);
  sheet.right(money(net), 535, 100);
  sheet.text(`VAT at ${invoice.tax_rate}`, 360, 120);
  sheet.right(money(tax), 535, 120);
  sheet.bold('Total amount due', 360, 145);
  sheet.boldRight(money(total), 535, 145);
  sheet.text('Please pay within 14 days.', 60, 200);
}

/** "1.234,56 €", "14.01.2026", and a delivery date that is not the invoice's. */
function german(sheet, invoice) {
  const { day, month, year } = dateParts(invoice.date);
  const money = (cents) => `${grouped(cents, '.', ',')} €`;
  const { net, tax, total } = sums(invoice);
  sheet.text('Lieferdatum: 02.01.2026', 380, 90);
  sheet.text(`Rechnungsdatum: ${day}.${month}.${year}`, 380, 106);
  sheet.bold('Rechnung', 60, 140, 20);
  sheet.text(`Rechnungs-Nr. ${invoice.number}`, 60, 165);
  sheet.text('Sehr geehrte Damen und Herren, wir erlauben uns zu berechnen:', 60, 195);
  let top = 225;
  for (const item of invoice.items) {
    sheet.text(item.text, 60, top);
    sheet.right(money(toCents(item.amount)), 535, top);
    top += 18;
  }
  sheet.rule(top);
  sheet.text('Zwischensumme', 330, top + 20);
  sheet.right(money(net), 535, top + 20);
  sheet.text(`zzgl. ${invoice.tax_rate.replace('.', ',')} MwSt.`, 330, top + 38);
  sheet.right(money(tax), 535, top + 38);
  sheet.bold('Gesamtbetrag', 330, top + 60);
  sheet.boldRight(money(total), 535, top + 60);
  sheet.text('Zahlbar bis zum 31.12.2026 ohne Abzug. IBAN DE02 1203 0000 0000 2020 51', 60, 780);
}

/** "CHF 1'234.50", "22. Januar 2026", and the total in one sentence with the tax it includes. */
function swiss(sheet, invoice) {
  const { day, month, year } = dateParts(invoice.date);
  const money = (cents) => `CHF ${grouped(cents, "'", '.')}`;
  const { tax, total } = sums(invoice);
  sheet.bold(`Rechnung ${invoice.number}`, 60, 90, 16);
  sheet.text(`Datum: ${Number(day)}. ${GERMAN_MONTHS[Number(month) - 1]} ${year}`, 60, 115);
  let top = 160;
  for (const item of invoice.items) {
    sheet.text(item.text, 60, top);
    sheet.right(money(toCents(item.amount)), 420, top);
    top += 18;
  }
  sheet.text(`MWST ${invoice.tax_rate}: ${money(tax)}`, 60, top + 20);
  sheet.bold(`Gesamtbetrag: ${money(total)} (inkl. ${money(tax)} MWST)`, 60, top + 44, 12);
}

/** "$1,234.56", "January 5, 2026", sums at the right under a list of items. */
function american(sheet, invoice) {
  const { day, monthName, year } = dateParts(invoice.date);
  const money = (cents) => `$${grouped(cents, ',', '.')}`;
  const { net, tax, total } = sums(invoice);
  sheet.text('1200 Main Street, Suite 4, Springfield', 60, 60);
  sheet.bold('INVOICE', 440, 60, 18);
  sheet.text(`Invoice #: ${invoice.number}`, 380, 90);
  sheet.text(`Date: ${monthName} ${Number(day)}, ${year}`, 380, 106);
  sheet.text('Due Date: December 31, 2026', 380, 122);
  sheet.bold('Description', 60, 170);
  sheet.boldRight('Total', 535, 170);
  sheet.rule(176);
  let top = 195;
  for (const item of invoice.items) {
    sheet.text(item.text, 60, top);
    sheet.right(money(toCents(item.amount)), 535, top);
    top += 18;
  }
  sheet.rule(top);
  sheet.text('Sub-total', 380, top + 20);
  sheet.right(money(net), 535, top + 20);
  sheet.text(`Sales tax (${invoice.tax_rate})`, 380, top + 38);
  sheet.right(money(tax), 535, top + 38);
  sheet.bold('Balance Due', 380, top + 60);
  sheet.boldRight(money(total), 535, top + 60);
}

/** A strip of boxes at the top, each label above its value; the file holds all labels first. */
function boxes(sheet, invoice) {
  const { day, monthName, year } = dateParts(invoice.date);
  const money = (cents) => `£${grouped(cents, ',', '.')}`;
  const { net, tax, total } = sums(invoice);
  const columns = [60, 230, 420];
  ['Invoice no.', 'Invoice date', 'Total due'].forEach((label, index) => {
    sheet.bold(label, columns[index], 120);
  });
  sheet.text('Net', 360, 400);
  sheet.text(`VAT ${invoice.tax_rate}`, 360, 418);
  invoice.items.forEach((item, index) => {
    sheet.text(item.text, 60, 220 + index * 18);
  });
  invoice.items.forEach((item, index) => {
    sheet.right(money(toCents(item.amount)), 535, 220 + index * 18);
  });
  sheet.right(money(net), 535, 400);
  sheet.right(money(tax), 535, 418);
  [invoice.number, `${Number(day)} ${monthName} ${year}`, money(total)].forEach((value, index) => {
    sheet.text(value, columns[index], 138);
  });
}

/** A table with five columns; the total is in its foot, "1 234.56", the currency only in its head. */
function table(sheet, invoice) {
  const { day, month, year } = dateParts(invoice.date);
  const money = (cents) => grouped(cents, ' ', '.');
  const { net, tax, total } = sums(invoice);
  const row = (top, [position, text, quantity, price, amount], write) => {
    sheet.text(position, 60, top);
    sheet.text(text, 90, top);
    write(quantity, 330, top);
    write(price, 430, top);
    write(amount, 535, top);
  };
  sheet.bold('Tax invoice', 60, 70, 16);
  sheet.text(`Invoice No ${invoice.number}`, 60, 95);
  sheet.text(`Date ${day}/${month}/${year}`, 300, 95);
  row(150, ['#', 'Description', 'Qty', 'Unit price', `Amount (${invoice.currency})`], sheet.boldRight);
  sheet.rule(156);
  let top = 175;
  invoice.items.forEach((item, index) => {
    const amount = money(toCents(item.amount));
    row(top, [`${index + 1}`, item.text, '1', amount, amount], sheet.right);
    top += 18;
  });
  row(top, ['', `VAT ${invoice.tax_rate} on ${money(net)}`, '', '', money(tax)], sheet.right);
  sheet.rule(top + 8);
  row(top + 26, ['', 'Total', `${invoice.items.length}`, '', money(total)], sheet.boldRight);
}

/** Negative sums, "-1,234.56 EUR", "16 Mar 2026". */
function creditNote(sheet, invoice) {
  const { day, monthName, year } = dateParts(invoice.date);
  const money = (cents) => `${grouped(cents, ',', '.')} ${invoice.currency}`;
  const { net, tax, total } = sums(invoice);
  sheet.bold('CREDIT NOTE', 60, 80, 20);
  sheet.text(`Credit note no. ${invoice.number}`, 60, 110);
  sheet.text(`Issued on ${Number(day)} ${monthName.slice(0, 3)} ${year}`, 60, 126);
  let top = 180;
  for (const item of invoice.items) {
    sheet.text(item.text, 60, top);
    sheet.right(money(toCents(item.amount)), 480, top);
    top += 18;
  }
  sheet.text('Net total', 60, top + 14);
  sheet.right(money(net), 480, top + 14);
  sheet.text(`VAT ${invoice.tax_rate}`, 60, top + 32);
  sheet.right(money(tax), 480, top + 32);
  sheet.bold('Total credit', 60, top + 54);
  sheet.boldRight(money(total), 480, top + 54);
}

function sums(invoice) {
  const net = invoice.items.reduce((sum, item) => sum + toCents(item.amount), 0n);
  const tax = toCents(invoice.tax);
  return { net, tax, total: net + tax };
}

function toCents(amount) {
  if (!/^-?\d+\.\d\d$/.test(amount)) throw new Error(`amount "${amount}" is not written like 12.50`);
  return BigInt(amount.replace('.', ''));
}

function grouped(cents, thousands, decimal) {
  const digits = String(cents < 0n ? -cents : cents).padStart(3, '0');
  const whole = digits.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, thousands);
  return `${cents < 0n ? '-' : ''}${whole}${decimal}${digits.slice(-2)}`;
}

function dateParts(date) {
  const [year, month, day] = date.split('-');
  return { year, month, day, monthName: MONTHS[Number(month) - 1] };
}
