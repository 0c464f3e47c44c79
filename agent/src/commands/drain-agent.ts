import { agentDetailSchema, agentNameSchema } from '@planfleet/shared-types';
import { EXIT, type ExitCode, usageError } from '../client/cli-error.ts';
import { printJson, type Terminal } from '../client/terminal.ts';
import { connect, type ServerOptions } from './connect.ts';

/** Address of an agent; a name of the wrong shape is told without asking. */
export function agentPath(name: string, rest = ''): string {
  if (!agentNameSchema.safeParse(name).success)
    throw usageError(`"${name}" is not the name of an agent`, '`planfleet agents` lists them.');
  return `/v1/agents/${name}${rest}`;
}

/** `agents drain` and `agents resume`. */
export async function drainAgent(
  action: 'drain' | 'resume',
  name: string,
  options: ServerOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const path = agentPath(name, `/${action}`);
  const client = await connect(options, terminal);
  const { raw, value } = await client.read(agentDetailSchema, path, {}, 'POST');
  if (options.json) printJson(terminal, raw);
  else {
    const left = value.leased === 1 ? '1 task is' : `${value.leased} tasks are`;
    terminal.out(`Agent ${value.name} is ${value.state}: ${left} running on it.`);
  }
  return EXIT.done;
}
