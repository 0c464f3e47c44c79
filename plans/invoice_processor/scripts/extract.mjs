import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readInvoice } from './invoice-text.mjs';
import { readPdfLines } from './pdf-lines.mjs';
import { Refusal, runStep, writeWhole } from './step.mjs';

// Usage: node extract.mjs INPUT_FOLDER PATH RESULT_FILE (PATH is relative to INPUT_FOLDER)
await runStep(['INPUT_FOLDER', 'PATH', 'RESULT_FILE'], async (inputFolder, path, resultFile) => {
  try {
    const bytes = await readFile(join(inputFolder, path));
    const invoice = readInvoice(await readPdfLines(bytes));
    await writeWhole(resultFile, `${JSON.stringify({ file: path, ...invoice }, null, 2)}\n`);
    const unread = Object.keys(invoice).filter((field) => invoice[field] === '');
    const gaps = unread.length === 0 ? '' : ` (not found: ${unread.join(', ')})`;
    console.log(`${path}: ${invoice.total} ${invoice.currency}${gaps}`);
  } catch (error) {
    if (error instanceof Refusal) throw new Refusal(`${path}: ${error.message}`);
    throw error;
  }
});
