import { agentNameSchema } from '@planfleet/shared-types';
import { EXIT, type ExitCode, usageError } from '../client/cli-error.ts';
import { printJson, type Terminal } from '../client/terminal.ts';
import { createLog } from './create-log.ts';
import { sayJoin } from './say-join.ts';
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
  const { url, local_url, data } = server;
  if (options.json) printJson(terminal, { event: 'listening', url, local_url, data });
  else {
    terminal.out(`${terminal.paint.green('planfleet is up')} at ${url}`);
    terminal.out(`  data  ${data}`);
    terminal.out('  stop  Ctrl-C');
    await sayJoin(server, options.name ?? null, terminal);
  }
  await stopped;
  await server.close();
  return EXIT.done;
}
