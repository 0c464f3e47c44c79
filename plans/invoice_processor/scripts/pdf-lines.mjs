import { getDocumentProxy } from 'unpdf';
import { Refusal } from './step.mjs';

// As parts of the height of the letters.
const SAME_LINE = 0.5;
const WORD_GAP = 0.15;
const COLUMN_GAP = 1.2;

/**
 * The lines of a PDF as a reader sees them: pieces of text at the same height belong to one line
 * wherever they stand in the file; a tab marks the gap between two columns, an empty line the end
 * of a page.
 */
export async function readPdfLines(bytes) {
  // Readers of PDF accept some bytes in front of the header, but nothing without a header.
  if (!bytes.subarray(0, 1024).includes('%PDF-')) throw new Refusal('not a PDF file');
  const lines = [];
  try {
    // verbosity 0: its warnings about odd fonts would bury the one line that matters.
    const pdf = await getDocumentProxy(new Uint8Array(bytes), { verbosity: 0 });
    for (let number = 1; number <= pdf.numPages; number += 1) {
      const page = await pdf.getPage(number);
      const { items } = await page.getTextContent();
      lines.push(...linesOfPage(items), '');
    }
  } catch (error) {
    if (error.name === 'PasswordException') throw new Refusal('the PDF is locked with a password');
    throw new Refusal(`the PDF is damaged (${error.message})`);
  }
  if (lines.every((line) => line === ''))
    throw new Refusal('no text in the PDF (a scanned page needs OCR first)');
  return lines;
}

function linesOfPage(items) {
  const pieces = items
    .filter((item) => item.str.trim() !== '')
    .map((item) => ({
      text: item.str,
      x: item.transform[4],
      y: item.transform[5],
      end: item.transform[4] + item.width,
      height: item.height || 10,
    }))
    .sort((a, b) => b.y - a.y);

  const rows = [];
  for (const piece of pieces) {
    const row = rows.at(-1);
    if (row !== undefined && row[0].y - piece.y < SAME_LINE * row[0].height) row.push(piece);
    else rows.push([piece]);
  }
  return rows.map(joinRow);
}

function joinRow(row) {
  row.sort((a, b) => a.x - b.x);
  return row.reduce((line, piece, index) => {
    const before = row[index - 1];
    return before === undefined ? piece.text.trim() : line + gapBetween(before, piece) + piece.text.trim();
  }, '');
}

function gapBetween(before, piece) {
  const gap = (piece.x - before.end) / piece.height;
  if (gap > COLUMN_GAP) return '\t';
  return gap > WORD_GAP || /\s$/.test(before.text) || /^\s/.test(piece.text) ? ' ' : '';
}
