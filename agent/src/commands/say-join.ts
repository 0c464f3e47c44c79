import type { Terminal } from '../client/terminal.ts';
import type { LocalServer } from './start-local-server.ts';

/** The one command that joins a machine. */
export async function sayJoin(server: LocalServer, name: string | null, terminal: Terminal): Promise<void> {
  const token = await server.agentToken(name);
  const named = name === null ? '' : ` --name ${name}`;
  terminal.out('Add a machine: run this there');
  // Not as an argument: every user of that machine, and every task, can read those.
  terminal.out(`  PLANFLEET_TOKEN=${token} npx planfleet agent --url ${server.public_url}${named}`);
  if (server.tls)
    terminal.out('Where the certificate is of your own authority, put NODE_EXTRA_CA_CERTS=CA.pem in front');
  if (name === null)
    terminal.out('A token for one name only: npx planfleet tokens create --scope agent --agent NAME');
}
