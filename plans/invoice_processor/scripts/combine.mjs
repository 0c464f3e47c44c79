import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toCents, toDecimal } from './money.mjs';
import { Refusal, runStep, writeWhole } from './step.mjs';

// Usage: node combine.mjs MANIFEST_FILE RESULTS_FOLDER OUTPUT_FILE
await runStep(
  ['MANIFEST_FILE', 'RESULTS_FOLDER', 'OUTPUT_FILE'],
  async (manifestFile, resultsFolder, outputFile) => {
    const { invoices } = JSON.parse(await readFile(manifestFile, 'utf8'));
    const results = [];
    for (const { id, file } of invoices)
      results.push(await readResult(join(resultsFolder, `${id}.json`), file));
    await writeWhole(outputFile, toCsv(results));
    console.log(`${results.length} invoices written`);
  },
);

/** A missing result would make every sum wrong without a trace, so it is refused. */
async function readResult(resultFile, file) {
  const text = await readFile(resultFile, 'utf8').catch((error) => {
    if (error.code !== 'ENOENT') throw error;
    throw new Refusal(`${file}: there is no result for this invoice (${resultFile})`);
  });
  return JSON.parse(text);
}

function toCsv(results) {
  const sums = new Map();
  const rows = [['file', 'invoice_number', 'date', 'currency', 'total']];
  for (const result of results.sort((a, b) => compare(a.file, b.file))) {
    rows.push([result.file, result.invoice_number, result.date, result.currency, result.total]);
    sums.set(result.currency, (sums.get(result.currency) ?? 0n) + toCents(result.total));
  }
  for (const [currency, cents] of [...sums].sort((a, b) => compare(a[0], b[0]))) {
    rows.push(['TOTAL', '', '', currency, toDecimal(cents)]);
  }
  return rows.map((row) => `${row.map(quote).join(',')}\n`).join('');
}

/** By code unit, so that the order is the same on every machine. */
function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

function quote(cell) {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
