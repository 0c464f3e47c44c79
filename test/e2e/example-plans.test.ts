import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync, inflateSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Fleet } from '../support/fleet.ts';

const plans = fileURLToPath(new URL('../../plans', import.meta.url));
const fleet = new Fleet();
beforeAll(async () => {
  await fleet.startServer();
  await fleet.adminToken();
  await fleet.startAgent('worker', { slots: 2 });
});
afterAll(() => fleet.close());

function write(path: string, content: string | Buffer): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

async function submit(plan: string, inputs: Record<string, string>): Promise<{ id: string; text: string }> {
  const given = Object.entries(inputs).flatMap(([name, value]) => ['-i', `${name}=${value}`]);
  const result = await fleet.cli(['submit', `${plans}/${plan}`, ...given, '--watch']);
  expect(result.code, result.stdout + result.stderr).toBe(0);
  const id = /\d{8}_\d{6}(_\d+)?/.exec(result.stdout + result.stderr)?.[0] ?? '';
  return { id, text: result.stdout + result.stderr };
}

test('every example plan validates without a warning', async () => {
  for (const plan of ['invoice_processor', 'log_report', 'render_frames', 'text_index']) {
    const { code, stdout } = await fleet.cli(['validate', `${plans}/${plan}`, '--json']);
    const { diagnostics } = JSON.parse(stdout) as { diagnostics: unknown[] };
    expect({ plan, code, diagnostics }).toEqual({ plan, code: 0, diagnostics: [] });
  }
});

test('text_index finds what is special about each document', async () => {
  const folder = fleet.path('notes');
  write(
    `${folder}/bread & butter.md`,
    '# Bread\n\nBread needs flour, water, salt. Bread is bread.\n\n```js\nconst oven = 1;\n```\n',
  );
  write(
    `${folder}/deep/soup.html`,
    '<style>water{}</style><p>Soup needs water, salt &amp; Suppengr&uuml;n; soup, soup!</p><!-- bread -->',
  );
  write(`${folder}/tea’s.txt`, Buffer.from('Tea needs water. Caf\xe9 au lait is no tea.', 'latin1'));
  write(`${folder}/picture.png`, 'not read');
  await submit('text_index', {
    INPUT_FOLDER: `@${folder}`,
    KEYWORDS: '2',
    OUTPUT_FILE: fleet.path('keywords.csv'),
  });
  // tf-idf by hand: bread 4 × ln 3, flour 1 × ln 3; soup 3 × ln 3; tea 2 × ln 3; then by the alphabet.
  expect(readFileSync(fleet.path('keywords.csv'), 'utf8').split('\n')).toEqual([
    'path,keyword,count,score',
    'bread & butter.md,bread,4,4.394',
    'bread & butter.md,flour,1,1.099',
    'deep/soup.html,soup,3,3.296',
    'deep/soup.html,suppengr,1,1.099',
    'tea’s.txt,tea,2,2.197',
    'tea’s.txt,café,1,1.099',
    '',
  ]);
});

test('log_report adds up plain and gzipped logs, and names the damaged one without failing', async () => {
  const folder = fleet.path('web logs');
  const line = (time: string, request: string, status: number, bytes: string) =>
    `203.0.113.7 - - [${time} +0000] "${request}" ${status} ${bytes} "-" "curl/8.5"\n`;
  write(
    `${folder}/access.log`,
    line('21/Nov/2026:23:59:59', 'GET /a HTTP/1.1', 200, '100') +
      line('22/Nov/2026:00:00:01', 'GET /b?q=1 HTTP/1.1', 503, '-'),
  );
  write(
    `${folder}/old/it's "old".log.gz`,
    gzipSync(line('22/Nov/2026:10:00:00', 'POST /a HTTP/1.1', 201, '50')),
  );
  write(`${folder}/third.log`, line('22/Nov/2026:11:00:00', 'GET /c|d HTTP/1.1', 200, '7'));
  write(`${folder}/damaged.log.gz`, 'this is no gzip');
  const { id } = await submit('log_report', {
    LOG_FOLDER: `@${folder}`,
    TOP: '2',
    OUTPUT_FILE: fleet.path('report.md'),
  });
  expect(readFileSync(fleet.path('report.md'), 'utf8')).toBe(`# Log report

| day | requests | errors | bytes |
|---|---:|---:|---:|
| 2026-11-21 | 1 | 0 | 100 |
| 2026-11-22 | 3 | 1 | 57 |

The 2 most requested:

| path | requests |
|---|---:|
| /a | 2 |
| /b | 1 |

- not read: damaged.log.gz
`);
  expect(await fleet.batch(id)).toMatchObject({ state: 'succeeded', abandoned: 1 });
});

test('log_report does not go on when more than a quarter of the logs are damaged', async () => {
  const folder = fleet.path('bad logs');
  write(`${folder}/one.log`, 'no log line\n');
  const result = await fleet.cli([
    'submit',
    `${plans}/log_report`,
    '-i',
    `LOG_FOLDER=@${folder}`,
    '-i',
    `OUTPUT_FILE=${fleet.path('bad.md')}`,
    '--watch',
  ]);
  expect(result.code).toBe(1);
  expect(result.stdout + result.stderr).toContain('only 0 of 1 lines are log lines');
});

test('render_frames makes an animation whose first frame is the whole set', async () => {
  const output = fleet.path('zoom.png');
  const { id } = await submit('render_frames', { FRAMES: '6', WIDTH: '64', ZOOM: '50', OUTPUT_FILE: output });
  const png = readFileSync(output);
  const chunks = readChunks(png);
  expect(chunks.map(({ type }) => type)).toEqual([
    'IHDR',
    'acTL',
    'fcTL',
    'IDAT',
    ...Array(5).fill(['fcTL', 'fdAT']).flat(),
    'IEND',
  ]);
  expect(chunks[1]?.data.readUInt32BE(0)).toBe(6);
  const rows = inflateSync(chunks[3]?.data ?? Buffer.alloc(0));
  expect(rows.length).toBe(48 * (1 + 64 * 3));
  // -0.29 + 0.13i is in the set, and so black; the corners are far outside.
  const pixel = (row: number, column: number) => [
    ...rows.subarray(row * 193 + 1 + column * 3, row * 193 + 4 + column * 3),
  ];
  expect(pixel(24, 41)).toEqual([0, 0, 0]);
  expect(pixel(0, 0)).not.toEqual([0, 0, 0]);
  const stages = await fleet.stages(id);
  expect(stages.get('render')).toMatchObject({ succeeded: 2, total: 2 });
});

function readChunks(png: Buffer): { type: string; data: Buffer }[] {
  const chunks: { type: string; data: Buffer }[] = [];
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    chunks.push({
      type: png.toString('latin1', at + 4, at + 8),
      data: png.subarray(at + 8, at + 8 + length),
    });
    at += 12 + length;
  }
  return chunks;
}
