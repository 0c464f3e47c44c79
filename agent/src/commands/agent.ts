import { join, resolve } from 'node:path';
import { CliError, EXIT } from '../client/cli-error.ts';
import { defaultDataFolder } from '../client/config-folders.ts';
import { makeDataFolder } from '../client/make-data-folder.ts';
import { resolveServer } from '../client/resolve-server.ts';
import type { Terminal } from '../client/terminal.ts';
import { type AgentOptions, readAgentSettings } from './agent-settings.ts';
import { hideToken, type ServerOptions } from './connect.ts';
import { createLog } from './create-log.ts';
import { runAgent } from './run-agent.ts';

export async function agent(
  options: ServerOptions & AgentOptions & { data?: string },
  terminal: Terminal,
): Promise<number> {
  hideToken(options);
  const settings = readAgentSettings(options, terminal);
  const { url, token } = await resolveServer(options, terminal);
  if (token === null)
    throw new CliError(EXIT.unreachable, `an agent needs a token of ${url}`, {
      hint: `Make one there: planfleet tokens create --scope agent --agent ${settings.name}`,
    });
  const data =
    options.data === undefined
      ? join(defaultDataFolder(terminal.env), 'agent')
      : resolve(terminal.cwd, options.data);
  await makeDataFolder(data);
  const log = createLog(terminal, options.json === true);
  const running = await runAgent({ url, token, data, settings, log });
  return running.ended();
}
