import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** On a fresh clone `npm test` and `npm run demo` come first, so they install from the lock file themselves. */
export function ensureInstalled() {
  if (existsSync(`${root}node_modules/.package-lock.json`)) return;
  console.log('Installing the packages of the lock file (npm ci) ...');
  execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root, stdio: 'inherit' });
}
