import type { Command } from 'commander';
import type { Terminal } from '../../client/terminal.ts';
import { collect, type Done, serverCommand } from './options.ts';

export function declareTokens(program: Command, terminal: Terminal, done: Done): void {
  const tokens = program.command('tokens').description('make, list and revoke tokens');
  const command = (usage: string, description: string) => serverCommand(tokens, usage, description);
  command('create', 'a new token; shown once, stored nowhere')
    .requiredOption(
      '--scope <scopes>',
      'submit, read, operate, agent, tick, admin; several with commas',
      collect,
    )
    .option('--subject <text>', 'whom it is for')
    .option('--agent <name>', 'for scope agent: only for the agent of this name')
    .option('--plan <glob>', 'for scope submit: only plans like this; may be repeated', collect)
    .option('--expires <duration>', 'like 12h or 90d; none: never')
    .option('--signing-key <file>', 'make it offline; "env" takes the key from PLANFLEET_SIGNING_KEY')
    .action(async (options) =>
      done(await (await import('../create-token.ts')).createToken(options, terminal)),
    );
  command('list', 'all tokens that were made by the control plane').action(async (options) =>
    done(await (await import('../list-tokens.ts')).listTokens(options, terminal)),
  );
  command('revoke <jti>', 'a token is refused from now on').action(async (jti, options) =>
    done(await (await import('../revoke-token.ts')).revokeToken(jti, options, terminal)),
  );
}
