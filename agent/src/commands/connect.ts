import { ApiClient } from '../client/api-client.ts';
import { resolveServer } from '../client/resolve-server.ts';
import type { Terminal } from '../client/terminal.ts';

/** Options of every command that talks to a control plane. */
export interface ServerOptions {
  url?: string;
  token?: string;
  json?: boolean;
}

export async function connect(options: ServerOptions, terminal: Terminal): Promise<ApiClient> {
  return new ApiClient(await resolveServer(options, terminal));
}
