import { resolve } from 'node:path';
import { EXIT, type ExitCode } from '../client/cli-error.ts';
import { defaultDataFolder } from '../client/config-folders.ts';
import { checkMachine } from '../client/doctor/check-machine.ts';
import { checkPort, checkServer } from '../client/doctor/check-server.ts';
import type { Finding } from '../client/doctor/finding.ts';
import { printableLine } from '../client/printable-text.ts';
import { printJson, type Terminal } from '../client/terminal.ts';
import { hideToken, type ServerOptions } from './connect.ts';

/** What works here and what does not, and what to do about it. */
export async function doctor(
  options: ServerOptions & { data?: string },
  terminal: Terminal,
): Promise<ExitCode> {
  hideToken(options);
  const data =
    options.data === undefined ? defaultDataFolder(terminal.env) : resolve(terminal.cwd, options.data);
  const [machine, port, server] = await Promise.all([
    checkMachine(data),
    checkPort(),
    checkServer(options, terminal),
  ]);
  const findings = [...machine, port, ...server];
  const bad = findings.filter((finding) => finding.state === 'failed').length;
  if (options.json) printJson(terminal, { ok: bad === 0, findings });
  else sayFindings(findings, bad, terminal);
  return bad === 0 ? EXIT.done : EXIT.batch_failed;
}

function sayFindings(findings: readonly Finding[], bad: number, terminal: Terminal): void {
  const { paint } = terminal;
  const words = {
    ok: paint.green('ok     '),
    info: paint.dim('info   '),
    warning: paint.yellow('warning'),
    failed: paint.red('failed '),
  };
  const width = Math.max(...findings.map(({ name }) => name.length));
  for (const { name, state, detail, hint } of findings) {
    terminal.out(`${words[state]}  ${name.padEnd(width)}  ${printableLine(detail, 1_000)}`);
    if (hint !== undefined) terminal.out(`${' '.repeat(width + 11)}${hint}`);
  }
  terminal.out('');
  terminal.out(bad === 0 ? 'All that is needed works.' : `${bad} of ${findings.length} need attention.`);
}
