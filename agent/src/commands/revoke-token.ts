import { EXIT, type ExitCode } from '../client/cli-error.ts';
import { printJson, type Terminal } from '../client/terminal.ts';
import { connect, type ServerOptions } from './connect.ts';

export async function revokeToken(
  jti: string,
  options: ServerOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const client = await connect(options, terminal);
  const response = await client.request('DELETE', `/v1/tokens/${encodeURIComponent(jti)}`);
  const text = await response.text();
  // A 204 has no body; a program still gets a line.
  if (options.json) printJson(terminal, text === '' ? { jti, revoked: true } : JSON.parse(text));
  else terminal.out(`Token ${jti} is revoked.`);
  return EXIT.done;
}
