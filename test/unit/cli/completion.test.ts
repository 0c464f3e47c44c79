import { execFile, spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestTerminal, type TestTerminal } from './test-terminal.ts';

let test: TestTerminal;
beforeEach(async () => {
  test = await createTestTerminal();
});
afterEach(() => test.remove());

describe('completion', () => {
  it('completes commands, those of a group, and options in bash', async () => {
    expect(await test.run('completion', 'bash')).toBe(0);
    const file = join(test.home, 'completion');
    await writeFile(file, test.out.join('\n'));
    const complete = async (...words: string[]) => {
      const list = words.map((word) => `'${word}'`).join(' ');
      const script = `. '${file}'; COMP_WORDS=(planfleet ${list}); COMP_CWORD=${words.length}; _planfleet; echo "\${COMPREPLY[@]}"`;
      return (await promisify(execFile)('bash', ['-c', script])).stdout.trim();
    };
    expect(await complete('wat')).toBe('watch');
    expect(await complete('tokens', 're')).toBe('revoke');
    expect(await complete('tokens', 'create', '--sc')).toBe('--scope');
    expect(await complete('submit', '--wa')).toBe('--watch');
    expect(await complete('up', '--lease')).toBe('');
    expect(await complete('nothing', 'x')).toBe('');
  });

  it.each(['bash', 'zsh', 'fish'])('has every command in %s', async (shell) => {
    expect(await test.run('completion', shell)).toBe(0);
    for (const name of ['doctor', 'submit', 'watch', 'files', 'init', 'revoke'])
      expect(test.out.join('\n')).toMatch(new RegExp(`\\b${name}\\b`));
    const found = spawnSync(shell, ['-n'], { input: test.out.join('\n') });
    if (found.error === undefined) expect([found.status, String(found.stderr)]).toEqual([0, '']);
  });

  it('refuses another shell', async () => {
    expect(await test.run('completion', 'tcsh')).toBe(2);
    expect(test.err.join('\n')).toContain('bash, zsh, fish');
  });
});
