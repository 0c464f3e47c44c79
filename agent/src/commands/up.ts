import { join } from 'node:path';
import { printJson, type Terminal } from '../client/terminal.ts';
import { type AgentOptions, readAgentSettings } from './agent-settings.ts';
import { createLog } from './create-log.ts';
import { runAgent } from './run-agent.ts';
import { type ControlPlaneCommandOptions, startLocalServer } from './start-local-server.ts';

/** Everything on one machine, until a signal. */
export async function up(
  options: ControlPlaneCommandOptions & AgentOptions,
  terminal: Terminal,
): Promise<number> {
  const settings = readAgentSettings(options, terminal);
  const log = createLog(terminal, options.json === true);
  const server = await startLocalServer(options, terminal, log);
  try {
    const token = await server.sign({
      subject: `agent ${settings.name}`,
      scopes: ['agent'],
      agent: settings.name,
    });
    const data = join(server.data, 'agent');
    const running = await runAgent({ url: server.url, token, data, settings, log });
    if (options.json)
      printJson(terminal, { event: 'listening', url: server.url, data: server.data, agent: settings.name });
    else {
      terminal.out(`${terminal.paint.green('planfleet is up')} at ${server.url}`);
      terminal.out(`  data    ${server.data}`);
      terminal.out(`  agent   ${settings.name}, ${settings.slots} slots`);
      terminal.out('  submit  npx planfleet submit DIR --watch');
      terminal.out('  stop    Ctrl-C');
    }
    return await running.ended();
  } finally {
    await server.close();
  }
}
