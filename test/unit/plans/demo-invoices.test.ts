import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { inflateSync } from 'node:zlib';
import { PDFDocument } from 'pdf-lib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DemoInvoice, makeInvoices, readDemoInvoices } from '../../../plans/demo/make-invoices.mjs';

let root: string;
let invoices: DemoInvoice[];
const pdfs = new Map<string, Buffer>();

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'demo-invoices-'));
  invoices = await readDemoInvoices();
  await makeInvoices(join(root, 'in'), invoices);
  for (const { file } of invoices) pdfs.set(file, await readFile(join(root, 'in', file)));
});

afterAll(() => rm(root, { recursive: true, force: true }));

/** Each stream of a PDF with the dictionary in front of it; every stream must be compressed. */
function streamsOf(pdf: Buffer): { dictionary: string; content: string }[] {
  const matches = pdf
    .toString('latin1')
    .matchAll(/<<((?:(?!endobj)[\s\S])*?)>>\s*stream\r?\n([\s\S]*?)\r?\nendstream/g);
  return [...matches].map(([, dictionary = '', data = '']) => ({
    dictionary,
    content: inflateSync(Buffer.from(data, 'latin1')).toString('latin1'),
  }));
}

describe('the invoices of the demo', () => {
  it('are 24, in at least 6 layouts and 4 currencies', () => {
    expect(invoices.length).toBe(24);
    expect(new Set(invoices.map((invoice) => invoice.layout)).size).toBeGreaterThanOrEqual(6);
    expect(new Set(invoices.map((invoice) => invoice.currency)).size).toBe(4);
  });

  it('have difficult names, which come through as they are', async () => {
    const listed = await readdir(join(root, 'in'), { recursive: true, withFileTypes: true });
    const files = listed.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    const expected = invoices.map((invoice) => join(root, 'in', invoice.file));
    expect(files.sort()).toEqual(expected.sort());
    for (const part of [' ', "'", '"', '&', '$', 'ü', '(', ')', ',', ';', '#', '%', '{', '/', '.PDF']) {
      expect(
        invoices.some((invoice) => invoice.file.includes(part)),
        part,
      ).toBe(true);
    }
    expect(invoices.some((invoice) => invoice.file.startsWith('-'))).toBe(true);
  });

  it('tell nothing by their names', () => {
    for (const { file, number, date } of invoices) {
      expect(file).not.toContain(number);
      expect(file).not.toContain(date.slice(0, 4));
    }
  });

  it('keep their text in compressed streams only', () => {
    for (const [file, pdf] of pdfs) {
      const streams = streamsOf(pdf);
      expect(streams.length, file).toBe(pdf.toString('latin1').split('endstream').length - 1);
      expect(
        streams.every((stream) => stream.dictionary.includes('/FlateDecode')),
        file,
      ).toBe(true);
      expect(
        streams.some((stream) => stream.dictionary.includes('/ObjStm')),
        file,
      ).toBe(true);
      expect(
        streams.some((stream) => / Tj\b/.test(stream.content)),
        file,
      ).toBe(true);
      expect(pdf.toString('latin1'), file).not.toMatch(/ Tj\b/);
    }
  });

  it('have no metadata', async () => {
    for (const [file, pdf] of pdfs) {
      const everything = [pdf.toString('latin1'), ...streamsOf(pdf).map((stream) => stream.content)].join(
        '\n',
      );
      expect(everything, file).not.toMatch(
        /\/(?:Info|Title|Author|Subject|Producer|Creator|CreationDate|ModDate|Metadata)\b/,
      );
      const loaded = await PDFDocument.load(pdf, { updateMetadata: false });
      expect([loaded.getTitle(), loaded.getProducer(), loaded.getCreationDate()]).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
    }
  });

  it('have the same bytes when another process makes them again', async () => {
    const script = fileURLToPath(new URL('../../../plans/demo/make-invoices.mjs', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [script, join(root, 'again')]);
    expect(stdout).toBe(`24 invoices written to ${join(root, 'again')}\n`);
    for (const [file, pdf] of pdfs) {
      expect(pdf.equals(await readFile(join(root, 'again', file))), file).toBe(true);
    }
  });

  it('refuse an amount that is not exact', async () => {
    const [invoice] = structuredClone(invoices);
    if (invoice === undefined) throw new Error('the demo has no invoices');
    invoice.tax = '1,5';
    await expect(makeInvoices(join(root, 'wrong'), [invoice])).rejects.toThrow(
      'amount "1,5" is not written like 12.50',
    );
  });
});
