import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

test('npm run demo: a newcomer sees a real plan run on real PDFs, with the right totals', async () => {
  const child = spawn('npm', ['run', 'demo'], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
  }
  const [code] = await once(child, 'close');
  expect(text).toContain('It is exactly what plans/demo/expected.csv says.');
  expect(code).toBe(0);
  expect(readFileSync(`${root}.demo/totals.csv`, 'utf8')).toBe(
    readFileSync(`${root}plans/demo/expected.csv`, 'utf8'),
  );
}, 180_000);
