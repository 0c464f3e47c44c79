import { Command } from 'commander';
import type { Terminal } from '../client/terminal.ts';
import { VERSION } from '../client/version.ts';
import { declareOperations } from './declare/operations.ts';
import type { Done } from './declare/options.ts';
import { declarePlans } from './declare/plans.ts';
import { declareServers } from './declare/servers.ts';
import { declareTokens } from './declare/tokens.ts';
import { declareViews } from './declare/views.ts';

/**
 * Declares every command. What a command does is loaded when it runs, so that `planfleet --version`
 * does not load a database and a server.
 */
export function buildProgram(terminal: Terminal, done: Done, json = false): Command {
  const program = new Command('planfleet')
    .description('Runs markdown plans on a fleet of GPU machines.')
    .version(VERSION)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      // How a command is used is nothing for programs; they get the error itself.
      writeErr: (text) => (json ? undefined : terminal.err(text.trimEnd())),
    });

  declareServers(program, terminal, done);
  declarePlans(program, terminal, done);
  declareViews(program, terminal, done);
  declareOperations(program, terminal, done);
  declareTokens(program, terminal, done);
  program
    .command('completion <shell>')
    .description('a script that completes commands and options: bash, zsh or fish')
    .action(async (shell) => done((await import('./completion.ts')).completion(shell, program, terminal)));
  program.hook('preAction', (_program, command) => resolveLatest(command, terminal));
  for (const each of [...program.commands, ...program.commands.flatMap((group) => group.commands)])
    each.showHelpAfterError(`usage: planfleet ${pathOf(each)} ${each.usage()}\n(--help says more)`);
  program.showHelpAfterError('(planfleet --help lists the commands)');
  return program;
}

/** Where a command takes a batch or a task, `latest` stands for the newest batch. */
async function resolveLatest(command: Command, terminal: Terminal): Promise<void> {
  const [argument] = command.registeredArguments;
  const [given] = command.processedArgs as unknown[];
  if (!/batch|task/.test(argument?.name() ?? '') || !/^latest(:|$)/.test(String(given))) return;
  const [{ connect }, { findLatest }] = await Promise.all([
    import('./connect.ts'),
    import('../client/find-latest.ts'),
  ]);
  command.processedArgs[0] = await findLatest(await connect(command.opts(), terminal), String(given));
}

function pathOf(command: Command): string {
  const group = command.parent;
  return group === null || group.parent === null ? command.name() : `${group.name()} ${command.name()}`;
}
