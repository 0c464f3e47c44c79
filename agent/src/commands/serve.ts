import { hostname } from 'node:os';
import { agentNameSchema } from '@planfleet/shared-types';
import { EXIT, type ExitCode, usageError } from '../client/cli-error.ts';
import { printJson, type Terminal } from '../client/terminal.ts';
import { createLog } from './create-log.ts';
import { type ControlPlaneCommandOptions, startLocalServer } from './start-local-server.ts';
import { stopOnSignal } from './stop-on-signal.ts';

/** The control plane alone, until a signal. */
export async function serve(
  options: ControlPlaneCommandOptions & { name?: string },
  terminal: Terminal,
): Promise<ExitCode> {
  if (options.name !== undefined && !agentNameSchema.safeParse(options.name).success)
    throw usageError(
      `--name "${options.name}" cannot be the name of an agent`,
      'Letters, digits, dots and dashes.',
    );
  const server = await startLocalServer(options, terminal, createLog(terminal, options.json === true));
  const stopped = new Promise<void>((resolve) => {
    stopOnSignal(resolve, () => process.exit(1));
  });
  if (options.json) printJson(terminal, { event: 'listening', url: server.url, data: server.data });
  else {
    const { name } = options;
    const token = await server.sign({
      subject: name === undefined ? 'agents' : `agent ${name}`,
      scopes: ['agent'],
      ...(name === undefined ? {} : { agent: name }),
    });
    const named = name === undefined ? '' : ` --name ${name}`;
    terminal.out(`${terminal.paint.green('planfleet is up')} at ${server.url}`);
    terminal.out(`  data  ${server.data}`);
    terminal.out('  stop  Ctrl-C');
    terminal.out('Add a machine: run this there');
    terminal.out(
      // Not as an argument: every user of that machine, and every task, can read those.
      `  PLANFLEET_TOKEN=${token} npx planfleet agent --url ${reachableUrl(server.url, options.host)}${named}`,
    );
    if (name === undefined)
      terminal.out('A token for one name only: npx planfleet tokens create --scope agent --agent NAME');
  }
  await stopped;
  await server.close();
  return EXIT.done;
}

/** Where other machines find this one, when it listens on all its addresses. */
export function reachableUrl(url: string, host: string): string {
  const address = new URL(url);
  if (host === '0.0.0.0' || host === '::') address.hostname = hostname();
  return address.href.replace(/\/$/, '');
}
