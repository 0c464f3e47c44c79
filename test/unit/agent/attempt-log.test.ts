import { spawnSync } from 'node:child_process';
import { appendFile, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AttemptLog } from '../../../agent/src/exec/attempt-log.ts';
import { finishLog } from '../../../agent/src/exec/finish-log.ts';
import { SecretMask } from '../../../agent/src/exec/secret-mask.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'planfleet-log-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function openLog(secrets: readonly string[] = [], cap = 64_000_000) {
  const complaints: string[] = [];
  const log = new AttemptLog({
    task: { stage: 1, ordinal: 0, lease: 1, attempt: 1 },
    file: join(folder, 'a.log'),
    mask: new SecretMask(secrets),
    cap,
    onTooLarge: (reason) => complaints.push(reason),
  });
  return { log, complaints };
}

function masked(text: string, secrets: readonly string[]): string {
  const bytes = Buffer.from(text);
  new SecretMask(secrets).apply(bytes);
  return bytes.toString();
}

test('a secret is hidden wherever reads cut it, and nothing else is lost', async () => {
  const part = fc.constantFrom('abcd', 'abcdabce', 'ab', 'c', 'd', 'e', '\n', 'zz', 'ü');
  await fc.assert(
    fc.asyncProperty(
      fc.array(part, { maxLength: 30 }),
      fc.array(fc.integer({ min: 1, max: 9 })),
      async (parts, steps) => {
        const secrets = ['abcd', 'cdabce', 'zzüz'];
        const { log } = openLog(secrets);
        await writeFile(log.file, '');
        let sent = '';
        let at = 0;
        for (const [place, each] of parts.entries()) {
          await appendFile(log.file, each);
          const slice = await log.read(at, steps[place] ?? 3, await log.size(), false);
          if (slice === null) continue;
          sent += slice.bytes.toString('latin1');
          at += slice.bytes.length;
        }
        const size = await log.size();
        for (
          let slice = await log.read(at, 100, size, true);
          slice !== null;
          slice = await log.read(at, 100, size, true)
        ) {
          sent += slice.bytes.toString('latin1');
          at += slice.bytes.length;
        }
        expect(Buffer.from(sent, 'latin1').toString()).toBe(masked(parts.join(''), secrets));
      },
    ),
    { numRuns: 100 },
  );
});

test('values are hidden line by line, in base64 at any place, in URLs and in JSON, with lengths kept', () => {
  const secret = 'pa/ss "wörd"\nsecond line';
  const forms = ['pa/ss "wörd"', 'second line', encodeURIComponent('pa/ss "wörd"'), 'pa/ss \\"wörd\\"'];
  for (const form of forms) {
    const text = `<${form}>`;
    const found = masked(text, [secret]);
    expect(found).not.toContain(form);
    expect(Buffer.byteLength(found)).toBe(Buffer.byteLength(text));
  }
  for (const user of ['', 'u', 'us', 'user']) {
    const text = Buffer.from(`${user}:pa/ss "wörd":`).toString('base64');
    expect(masked(text, [secret])).toMatch(/^[^*]{0,8}\*{14,}[^*]{0,4}$/);
  }
  expect(masked('abc', ['abc'])).toBe('abc');
});

test('what programs make of a value when they print it is hidden too', () => {
  const secret = `it's $5 "a\\b" & (c)+/é~z`;
  const long = 'sk-'.concat('0123456789abcdefghijklmnop'.repeat(6));
  const env = { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', T: secret, LONG: long };
  const bash = spawnSync(
    'bash',
    [
      '--norc',
      '-c',
      'set -x; : "$T"; { set +x; } 2>/dev/null; declare -p T; printf "%q\\n" "$T"; printf %s "$LONG" | base64',
    ],
    { env, encoding: 'utf8' },
  );
  const python = spawnSync(
    'python3',
    [
      '-c',
      `import json, os, urllib.parse as u
t = os.environ['T']
print(repr(t), json.dumps(t), json.dumps(t, ensure_ascii=False), u.quote(t), u.quote_plus(t), u.quote(t, safe=''), sep='\\n')`,
    ],
    { env, encoding: 'utf8' },
  );
  expect([bash.status, python.status]).toEqual([0, 0]);
  const lines = `${bash.stderr}${bash.stdout}${python.stdout}`.trim().split('\n');
  expect(lines).toHaveLength(12);
  for (const line of lines) expect(masked(line, [secret, long])).toMatch(/^[^*]{0,15}\*{18,}[^*]{0,6}$/);
});

test('the disk gets the middle of a log over its cap back; offsets stay, and its ends are told', async () => {
  const secret = 'S'.repeat(40);
  const { log, complaints } = openLog([secret], 1_000_000);
  await writeFile(log.file, '');
  const block = Buffer.alloc(65_536, 'x');
  for (let n = 0; n < 64; n++) {
    await appendFile(log.file, block);
    await log.keepWithinCap(await log.size());
  }
  await appendFile(log.file, `${secret}\nthe end`);
  expect(complaints).toEqual([]);
  const { size, blocks } = await stat(log.file);
  expect(size).toBe(64 * 65_536 + 48);
  expect(blocks * 512).toBeLessThan(1_400_000);
  const finished = await finishLog(log, 'task', join(folder, 'copy'));
  expect(finished.log).toMatchObject({ name: 'task', size, kept: 'blob' });
  const { head = 0, tail = 0, stored = 0 } = finished.log ?? {};
  expect((await stat(join(folder, 'copy'))).size).toBe(stored);
  expect(stored).toBe(head + tail + `\n[... ${size - head - tail} bytes missing ...]\n`.length);
  expect(stored).toBeLessThan(1_000_100);
  expect(finished.tail.endsWith(`x${'*'.repeat(40)}\nthe end`)).toBe(true);
  // Nothing is read as zeros out of the hole.
  expect(await log.read(log.skipHole(600_000) - 1, 10, size, false)).toBeNull();
  expect(log.skipHole(1_000)).toBe(1_000);
});

test('a small log is told in the tail, one that is not text as it is, none not at all', async () => {
  const { log } = openLog();
  expect(await finishLog(log, 'task', join(folder, 'copy'))).toEqual({ tail: '' });
  await writeFile(log.file, '\ufeffhällo\n');
  const small = await finishLog(log, 'task', join(folder, 'copy'));
  expect(small).toMatchObject({
    tail: '\ufeffhällo\n',
    log: { size: 10, stored: 10, head: 10, kept: 'tail' },
  });
  expect(small.upload).toBeUndefined();
  await writeFile(log.file, Buffer.from([0xff, 0, 0x41]));
  const odd = await finishLog(log, 'task', join(folder, 'copy'));
  expect(odd).toMatchObject({
    tail: '\ufffd\ufffdA',
    log: { size: 3, kept: 'blob' },
    upload: { file: log.file },
  });
});
