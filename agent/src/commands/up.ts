import { join } from 'node:path';
import { isLoopback } from '../client/resolve-server.ts';
import { printJson, type Terminal } from '../client/terminal.ts';
import { type AgentOptions, type AgentSettings, readAgentSettings } from './agent-settings.ts';
import { createLog } from './create-log.ts';
import { runAgent } from './run-agent.ts';
import { sayJoin } from './say-join.ts';
import {
  alreadyUp,
  type ControlPlaneCommandOptions,
  dataFolderOf,
  findRunning,
  type LocalServer,
  startLocalServer,
} from './start-local-server.ts';

/** Everything on one machine, until a signal. */
export async function up(
  options: ControlPlaneCommandOptions & AgentOptions,
  terminal: Terminal,
): Promise<number> {
  const settings = readAgentSettings(options, terminal);
  const folder = dataFolderOf(options, terminal);
  // Before anything is started: a second one would take the place of the first in its user's login.
  const running = await findRunning(folder);
  if (running !== null) throw alreadyUp(running, folder);
  const log = createLog(terminal, options.json === true);
  const server = await startLocalServer(options, terminal, log);
  try {
    const token = await server.agentToken(settings.name);
    const data = join(server.data, 'agent');
    const agent = await runAgent({ url: server.local_url, token, data, settings, log });
    const { url, local_url } = server;
    if (options.json)
      printJson(terminal, { event: 'listening', url, local_url, data: server.data, agent: settings.name });
    else await sayUp(server, settings, options.host, terminal);
    return await agent.ended();
  } finally {
    await server.close();
  }
}

async function sayUp(
  server: LocalServer,
  settings: AgentSettings,
  host: string,
  terminal: Terminal,
): Promise<void> {
  terminal.out(`${terminal.paint.green('planfleet is up')} at ${server.url}`);
  terminal.out(`  data    ${server.data}`);
  terminal.out(`  agent   ${settings.name}, ${settings.slots} slots`);
  terminal.out('  submit  npx planfleet submit DIR --watch');
  terminal.out('  stop    Ctrl-C');
  if (!isLoopback(host)) return sayJoin(server, null, terminal);
  terminal.out(
    'Only this machine can reach it. For others: npx planfleet up --host ADDRESS --tls-cert F --tls-key F',
  );
}
