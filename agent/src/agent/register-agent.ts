import { hostname } from 'node:os';
import { AGENT_PROTOCOL, type LeaseKey, type RegisterAnswer } from '@planfleet/shared-types';
import { backOffMs } from '../http/back-off.ts';
import type { ControlPlaneClient } from '../http/control-plane-client.ts';
import type { AgentDeps } from './agent-deps.ts';
import type { AgentOptions, ExitReason } from './agent-options.ts';
import { wait } from './wait.ts';

export interface Registration {
  readonly options: AgentOptions;
  readonly deps: AgentDeps;
  readonly controlPlane: ControlPlaneClient;
  readonly started_at: number;
  readonly storage: string;
  readonly have: readonly LeaseKey[];
}

/** Registers, as often as it takes. What comes back is the session, or why there can be none. */
export async function registerAgent(
  registration: Registration,
  signal: AbortSignal,
): Promise<RegisterAnswer | ExitReason> {
  const { options, deps, controlPlane } = registration;
  const request = {
    protocol: AGENT_PROTOCOL,
    name: options.name,
    boot_id: deps.randomness.id(),
    started_at: registration.started_at,
    hostname: hostname().slice(0, 255),
    version: options.version ?? '0.0.0',
    slots: options.slots,
    labels: [...options.labels],
    storage: registration.storage,
    have: [...registration.have],
  };
  for (let failures = 0; ; failures++) {
    const answer = await controlPlane.register(request, signal);
    if (answer.kind === 'ok') return answer.body;
    if (signal.aborted) return { kind: 'stopped', message: 'Stopped before it was registered' };
    if (answer.kind === 'superseded') return { kind: 'superseded', message: answer.message };
    if (answer.kind === 'too_old') return { kind: 'too_old', message: answer.message };
    // Whoever starts an agent is looking: a wrong token or address is said at once, whatever answered.
    if (answer.status === 401 || answer.status === 403) {
      return { kind: 'refused', message: describeRefusal(options, answer.status, answer.message) };
    }
    if (answer.kind === 'final') {
      return {
        kind: 'refused',
        message: `${options.url} refuses to register the agent ${options.name}: ${answer.message}`,
      };
    }
    if (failures === 0) {
      const message = `Cannot register at ${options.url}: ${answer.message}; trying again`;
      options.log({ level: 'warn', event: 'register_failed', message });
    }
    await wait(deps.timers, backOffMs(failures, deps.randomness.fraction(), answer.retry_after_ms), signal);
  }
}

function describeRefusal(options: AgentOptions, status: number, detail: string): string {
  const what =
    status === 401
      ? 'does not accept the token (it is wrong, expired or revoked)'
      : `does not let this token act as the agent ${options.name}`;
  return (
    `The control plane at ${options.url} ${what}: ${detail.replace(/\.$/, '')}. ` +
    `Make a token for the agent ${options.name} on the control plane and start the agent with it.`
  );
}
