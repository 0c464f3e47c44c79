import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { PDFDocument, StandardFonts } from 'pdf-lib';
import { layouts } from './invoice-layouts.mjs';

/**
 * Writes each invoice as a PDF into the folder. The same data gives the same bytes, on every
 * machine and at any time: no date, no producer and no title is written into a file.
 */
export async function makeInvoices(folder, invoices) {
  for (const invoice of invoices) {
    const file = join(folder, invoice.file);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, await makePdf(invoice));
  }
}

/** The 24 invoices of the demo. */
export async function readDemoInvoices() {
  return JSON.parse(await readFile(fileURLToPath(new URL('invoices.json', import.meta.url)), 'utf8'));
}

async function makePdf(invoice) {
  const layout = layouts[invoice.layout];
  if (layout === undefined) {
    throw new Error(
      `${invoice.file}: no layout "${invoice.layout}" (there are: ${Object.keys(layouts).join(', ')})`,
    );
  }
  const pdf = await PDFDocument.create({ updateMetadata: false });
  const regular = await pdf.embedFont(StandardFonts.Helvetica);
  const bold = await pdf.embedFont(StandardFonts.HelveticaBold);
  layout(sheetOf(pdf, regular, bold), invoice);
  return pdf.save({ useObjectStreams: true });
}

/** What a layout draws on: text at a place measured from the top left corner of an A4 page. */
function sheetOf(pdf, regular, bold) {
  const [width, height] = [595, 842];
  let page = pdf.addPage([width, height]);
  const write = (text, x, top, { font = regular, size = 10 } = {}) =>
    page.drawText(text, { x, y: height - top, font, size });
  return {
    text: write,
    bold: (text, x, top, size = 10) => write(text, x, top, { font: bold, size }),
    /** Ends at x, as figures in a column do. */
    right: (text, x, top) => write(text, x - regular.widthOfTextAtSize(text, 10), top),
    boldRight: (text, x, top) => write(text, x - bold.widthOfTextAtSize(text, 10), top, { font: bold }),
    rule: (top) =>
      page.drawLine({ start: { x: 60, y: height - top }, end: { x: 535, y: height - top }, thickness: 0.5 }),
    nextPage: () => {
      page = pdf.addPage([width, height]);
    },
  };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const folder = process.argv[2];
  if (folder === undefined) {
    console.error('Usage: node plans/demo/make-invoices.mjs FOLDER');
    process.exitCode = 1;
  } else {
    const invoices = await readDemoInvoices();
    await makeInvoices(folder, invoices);
    console.log(`${invoices.length} invoices written to ${folder}`);
  }
}
