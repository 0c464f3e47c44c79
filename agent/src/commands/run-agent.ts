import type { Terminal } from '../client/terminal.ts';
import type { AgentSettings } from './agent-settings.ts';
import type { Log } from './create-log.ts';
import { stopOnSignal } from './stop-on-signal.ts';

export interface RunningAgent {
  /** Resolves when the agent has ended, with the exit code. */
  readonly ended: Promise<number>;
}

/** An agent in this process that drains on the first signal and stops on the second. */
export async function runAgent(
  options: { url: string; token: string; data: string; settings: AgentSettings; log: Log },
  terminal: Terminal,
): Promise<RunningAgent> {
  const { url, token, data, settings, log } = options;
  const { startAgent } = await import('../agent/start-agent.ts');
  const agent = await startAgent({ url, token, data, ...settings, log });
  const signals = stopOnSignal(
    () => {
      terminal.err('Stopping: running tasks get their time to end. Once more stops them at once.');
      agent.drain();
    },
    () => agent.stop(),
  );
  const ended = agent.done.then(({ code, message }) => {
    signals.remove();
    log({ level: code === 0 ? 'info' : 'error', message });
    return code;
  });
  return { ended };
}
