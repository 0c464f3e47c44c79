import { ApiClient } from '../client/api-client.ts';
import { resolveServer } from '../client/resolve-server.ts';
import type { Terminal } from '../client/terminal.ts';

/** Options of every command that talks to a control plane. */
export interface ServerOptions {
  url?: string;
  token?: string;
  json?: boolean;
}

/** Other users, and the tasks of an agent, can read the arguments of a process; the title takes their place. */
export function hideToken(options: ServerOptions): void {
  if (options.token !== undefined) process.title = 'planfleet';
}

export async function connect(options: ServerOptions, terminal: Terminal): Promise<ApiClient> {
  hideToken(options);
  return new ApiClient(await resolveServer(options, terminal));
}
