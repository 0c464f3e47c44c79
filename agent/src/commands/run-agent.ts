import { CliError, EXIT, type ExitCode } from '../client/cli-error.ts';
import { VERSION } from '../client/version.ts';
import type { AgentSettings } from './agent-settings.ts';
import type { Log } from './create-log.ts';
import { stopOnSignal } from './stop-on-signal.ts';

/** Starts an agent in this process, that drains on the first signal and stops on the second. */
export async function runAgent(options: {
  url: string;
  token: string;
  data: string;
  settings: AgentSettings;
  log: Log;
}): Promise<{ ended(): Promise<ExitCode> }> {
  const { url, token, data, settings, log } = options;
  const { startAgent } = await import('../agent/start-agent.ts');
  const agent = startAgent({ url, token, data, ...settings, version: VERSION, log });
  const signals = stopOnSignal(
    () => {
      log({
        level: 'info',
        message: 'Stopping: running tasks get their time to end. Once more stops them at once.',
      });
      agent.drain();
    },
    () => agent.stop(),
  );
  return {
    async ended() {
      const { kind, message } = await agent.done;
      signals.remove();
      if (kind === 'drained' || kind === 'stopped') return EXIT.done;
      // Another agent with this folder is a mistake of the command line; the rest is the control plane's word.
      throw new CliError(kind === 'locked' ? EXIT.usage : EXIT.unreachable, message);
    },
  };
}
