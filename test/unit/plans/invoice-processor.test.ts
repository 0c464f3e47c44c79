import { link, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PDFDocument, PDFHexString, StandardFonts } from 'pdf-lib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DemoInvoice, makeInvoices, readDemoInvoices } from '../../../plans/demo/make-invoices.mjs';
import { type Finished, InvoicePlan } from './invoice-plan.ts';

const expectedFile = fileURLToPath(new URL('../../../plans/demo/expected.csv', import.meta.url));

let plan: InvoicePlan;

beforeAll(async () => {
  plan = await InvoicePlan.install();
});

afterAll(() => plan?.remove());

async function folderWith(files: Record<string, string | Uint8Array>): Promise<string> {
  const folder = await plan.folder();
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return folder;
}

async function pdfWith(lines: string[]): Promise<Uint8Array> {
  const pdf = await PDFDocument.create();
  const page = pdf.addPage();
  lines.forEach((line, index) => {
    page.drawText(line, { x: 50, y: 700 - index * 20, size: 10 });
  });
  return pdf.save();
}

describe('the whole plan', () => {
  it('writes exactly the spreadsheet that was worked out by hand', async () => {
    const folder = await plan.folder();
    await makeInvoices(folder, await readDemoInvoices());
    expect(String(await plan.runAll(folder))).toBe(await readFile(expectedFile, 'utf8'));
  });

  it('changes one row and one sum when one digit of one invoice changes', async () => {
    const invoices: DemoInvoice[] = structuredClone(await readDemoInvoices());
    const item = invoices
      .find((invoice) => invoice.number === 'RE-2026-0118')
      ?.items.find((each) => each.amount === '860.00');
    if (item === undefined) throw new Error('the demo has no such item any more');
    item.amount = '860.70';
    const folder = await plan.folder();
    await makeInvoices(folder, invoices);

    const before = (await readFile(expectedFile, 'utf8')).split('\n');
    const after = String(await plan.runAll(folder)).split('\n');
    expect(after.length).toBe(before.length);
    expect(after.filter((line, index) => line !== before[index])).toEqual([
      'Müller & Söhne.pdf,RE-2026-0118,2026-01-14,EUR,1078.25',
      'TOTAL,,,EUR,34019.93',
    ]);
  });

  it('writes only the header for an empty folder', async () => {
    expect(String(await plan.runAll(await plan.folder()))).toBe('file,invoice_number,date,currency,total\n');
  });
});

describe('scan', () => {
  it('finds PDFs in all subfolders, whatever the case of their ending, and nothing else', async () => {
    const folder = await folderWith({ 'b.PDF': '', 'a.pdf': '', 'notes.txt': '', 'a.pdf.bak': '', pdf: '' });
    await mkdir(join(folder, 'deep', 'er.pdf'), { recursive: true });
    await writeFile(join(folder, 'deep', 'er.pdf', 'c.Pdf'), '');
    const found = await plan.scan(folder, await plan.folder());
    expect(found.map((item) => item.path)).toEqual(['a.pdf', 'b.PDF', 'deep/er.pdf/c.Pdf']);
    expect(found.every((item) => item.file === item.path)).toBe(true);
  });

  it('follows links to files, and no links to folders', async () => {
    const elsewhere = await folderWith({ 'real.pdf': '' });
    const folder = await plan.folder();
    await symlink(join(elsewhere, 'real.pdf'), join(folder, 'linked.pdf'));
    await symlink(join(elsewhere, 'gone.pdf'), join(folder, 'broken.pdf'));
    await symlink(folder, join(folder, 'round and round'));
    const found = await plan.scan(folder, await plan.folder());
    expect(found.map((item) => item.path)).toEqual(['linked.pdf']);
  });

  it('gives safe ids, unique even where only case, accents or signs differ', async () => {
    const names = [
      'a.pdf',
      'A.pdf',
      'ä.pdf',
      '&.pdf',
      '$(touch x).pdf',
      '-r.pdf',
      '二.pdf',
      `${'long'.repeat(50)}.pdf`,
    ];
    const folder = await folderWith(Object.fromEntries(names.map((name) => [name, ''])));
    const ids = (await plan.scan(folder, await plan.folder())).map((item) => item.id);
    expect(new Set(ids).size).toBe(names.length);
    for (const id of ids) expect(id).toMatch(/^\d[a-z0-9-]{1,45}$/);
  });

  it('refuses a folder that is not there', async () => {
    const batch = await plan.folder();
    const finished = await plan.run('scan.mjs', [join(batch, 'nowhere'), join(batch, 'manifest.json')]);
    expect(finished).toMatchObject({ code: 1, stderr: `${join(batch, 'nowhere')}: not a folder\n` });
  });
});

describe('extract', () => {
  async function extract(
    name: string,
    content: string | Uint8Array,
  ): Promise<Finished & { results: string[] }> {
    const batch = await plan.folder();
    const finished = await plan.extract(await folderWith({ [name]: content }), batch, {
      id: '1',
      path: name,
    });
    return {
      ...finished,
      results: (await readdir(batch)).includes('results') ? await readdir(join(batch, 'results')) : [],
    };
  }

  it('writes one result for one invoice', async () => {
    const folder = await folderWith({
      "it's.pdf": await pdfWith(['Invoice no. 7-B', 'Date: 2026-04-30', 'Total: EUR 1,000.05']),
    });
    const batch = await plan.folder();
    const finished = await plan.extract(folder, batch, { id: '1', path: "it's.pdf" });
    expect(finished).toEqual({ code: 0, stdout: "it's.pdf: 1000.05 EUR\n", stderr: '' });
    expect(JSON.parse(await readFile(join(batch, 'results', '1.json'), 'utf8'))).toEqual({
      file: "it's.pdf",
      invoice_number: '7-B',
      date: '2026-04-30',
      currency: 'EUR',
      total: '1000.05',
    });
    expect(await readdir(join(batch, 'results'))).toEqual(['1.json']);
  });

  it('says which fields an invoice does not have', async () => {
    const { code, stdout } = await extract('bare.pdf', await pdfWith(['Total: EUR 1.00']));
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'bare.pdf: 1.00 EUR (not found: invoice_number, date)\n',
    });
  });

  it.each([
    ['text in disguise', 'Total: 5.00 EUR', /^odd name\.pdf: not a PDF file\n$/],
    ['an empty file', '', /^odd name\.pdf: not a PDF file\n$/],
    ['a broken PDF', '%PDF-1.7\nTotal: 5.00 EUR', /^odd name\.pdf: the PDF is damaged \([^\n]+\)\n$/],
  ])('refuses %s in one line that names the file', async (_, content, line) => {
    const { code, stdout, stderr, results } = await extract('odd name.pdf', content);
    expect({ code, stdout, results }).toEqual({ code: 1, stdout: '', results: [] });
    expect(stderr).toMatch(line);
  });

  it('refuses a PDF with a password', async () => {
    const pdf = await PDFDocument.create();
    pdf.addPage().drawText('Total: EUR 5.00');
    const key = PDFHexString.of('00'.repeat(32));
    const locked = { Filter: 'Standard', V: 1, R: 2, P: -4, O: key, U: key };
    pdf.context.trailerInfo.Encrypt = pdf.context.register(pdf.context.obj(locked));
    pdf.context.trailerInfo.ID = pdf.context.obj([key, key]);
    const { code, stderr } = await extract('locked.pdf', await pdf.save({ useObjectStreams: false }));
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'locked.pdf: the PDF is locked with a password\n' });
  });

  it('puts the pieces of a line together by their place on the page, not in the file', async () => {
    const pdf = await PDFDocument.create();
    const font = await pdf.embedFont(StandardFonts.Helvetica);
    const page = pdf.addPage();
    const draw = (text: string, x: number, y: number) => page.drawText(text, { x, y, font, size: 10 });
    draw('34.50', 300 + font.widthOfTextAtSize('1,2', 10), 400.8);
    draw('EUR', 400, 400);
    draw('Subtotal', 50, 420);
    draw('tal', 50 + font.widthOfTextAtSize('To', 10), 400);
    draw('1,2', 300, 400);
    draw('To', 50, 400);
    draw('1,000.00', 300, 420);
    const { stdout } = await extract('pieces.pdf', await pdf.save());
    expect(stdout).toMatch(/^pieces\.pdf: 1234\.50 EUR /);
  });

  it('refuses a PDF without text', async () => {
    const { code, stderr } = await extract('scan.pdf', await pdfWith([]));
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'scan.pdf: no text in the PDF (a scanned page needs OCR first)\n',
    });
  });

  it('refuses a PDF without a total', async () => {
    const { code, stderr } = await extract(
      'letter.pdf',
      await pdfWith(['Invoice no. 7', 'Subtotal: EUR 9.00']),
    );
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'letter.pdf: no readable total\n' });
  });

  it('refuses a file that is not there', async () => {
    const folder = await plan.folder();
    const { code, stderr } = await plan.extract(folder, folder, { id: '1', path: 'gone.pdf' });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^[^\n]*no such file[^\n]*gone\.pdf[^\n]*\n$/);
  });

  it('says which arguments it takes', async () => {
    const { code, stderr } = await plan.run('extract.mjs', ['one']);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'expected 3 arguments: INPUT_FOLDER PATH RESULT_FILE\n',
    });
  });
});

describe('combine', () => {
  async function batchOf(results: { file: string; currency: string; total: string }[]): Promise<string> {
    const batch = await plan.folder();
    const invoices = results.map(({ file }, index) => ({ id: String(index), path: file, file }));
    await mkdir(join(batch, 'results'));
    await writeFile(join(batch, 'manifest.json'), JSON.stringify({ invoices }));
    for (const [index, result] of results.entries()) {
      const text = JSON.stringify({ invoice_number: '', date: '', ...result });
      await writeFile(join(batch, 'results', `${index}.json`), text);
    }
    return batch;
  }

  it('sorts by code unit, quotes what needs quotes, and adds up exactly', async () => {
    const batch = await batchOf([
      { file: 'ä.pdf', currency: 'USD', total: '0.10' },
      { file: 'b.pdf', currency: 'USD', total: '0.20' },
      { file: 'B.pdf', currency: 'EUR', total: '90071992547409.93' },
      { file: 'a, "b"\nc.pdf', currency: 'EUR', total: '-0.05' },
    ]);
    expect((await plan.combine(batch, join(batch, 'out.csv'))).code).toBe(0);
    expect(await readFile(join(batch, 'out.csv'), 'utf8')).toBe(
      'file,invoice_number,date,currency,total\n' +
        'B.pdf,,,EUR,90071992547409.93\n' +
        '"a, ""b""\nc.pdf",,,EUR,-0.05\n' +
        'b.pdf,,,USD,0.20\n' +
        'ä.pdf,,,USD,0.10\n' +
        'TOTAL,,,EUR,90071992547409.88\n' +
        'TOTAL,,,USD,0.30\n',
    );
  });

  it('replaces the spreadsheet of before as a whole and never writes into it', async () => {
    const batch = await batchOf([{ file: 'a.pdf', currency: 'EUR', total: '1.00' }]);
    await writeFile(join(batch, 'out.csv'), 'before');
    // The second name keeps the old file in sight: writing in place would show through it.
    await link(join(batch, 'out.csv'), join(batch, 'second-name'));
    await plan.combine(batch, join(batch, 'out.csv'));
    expect(await readFile(join(batch, 'second-name'), 'utf8')).toBe('before');
    expect(await readFile(join(batch, 'out.csv'), 'utf8')).toMatch(/^file,/);
    expect((await readdir(batch)).sort()).toEqual(['manifest.json', 'out.csv', 'results', 'second-name']);
  });

  it('ignores results that the manifest does not list', async () => {
    const batch = await batchOf([{ file: 'a.pdf', currency: 'EUR', total: '1.00' }]);
    await writeFile(join(batch, 'results', 'old.json'), '{"file":"old.pdf","currency":"EUR","total":"5.00"}');
    await plan.combine(batch, join(batch, 'out.csv'));
    expect(await readFile(join(batch, 'out.csv'), 'utf8')).toMatch(/TOTAL,,,EUR,1\.00\n$/);
  });

  it('refuses a missing result and leaves the spreadsheet of before as it was', async () => {
    const batch = await batchOf([{ file: 'a.pdf', currency: 'EUR', total: '1.00' }]);
    await writeFile(join(batch, 'out.csv'), 'before');
    const manifest = {
      invoices: [
        { id: '0', file: 'a.pdf' },
        { id: '1', file: 'b.pdf' },
      ],
    };
    await writeFile(join(batch, 'manifest.json'), JSON.stringify(manifest));
    const { code, stderr } = await plan.combine(batch, join(batch, 'out.csv'));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^b\.pdf: there is no result for this invoice \([^\n]+1\.json\)\n$/);
    expect(await readFile(join(batch, 'out.csv'), 'utf8')).toBe('before');
    expect((await readdir(batch)).sort()).toEqual(['manifest.json', 'out.csv', 'results']);
  });
});
