import { type Command, Option } from 'commander';
import type { Terminal } from '../../client/terminal.ts';
import { type Done, serverCommand, wholeNumber, withJson } from './options.ts';

const JSON_LOG = 'what happens as lines of JSON, for programs';

/** Commands that run until a signal, what prepares them, and what tells whether they can. */
export function declareServers(program: Command, terminal: Terminal, done: Done): void {
  declareControlPlane(program, terminal, done);
  declareAgent(program, terminal, done);
  serverCommand(program, 'doctor', 'what works here and what does not, and what to do about it')
    .option('--data <dir>', 'data folder to look at (else ~/.local/share/planfleet)')
    .action(async (options) => done(await (await import('../doctor.ts')).doctor(options, terminal)));
}

function declareControlPlane(program: Command, terminal: Terminal, done: Done): void {
  for (const [name, description] of [
    ['up', 'control plane and an agent on this machine'],
    ['serve', 'control plane only; agents join it'],
  ] as const) {
    const each = withControlPlane(withJson(program.command(name).description(description), JSON_LOG));
    if (name === 'up') withAgent(each);
    else each.option('--name <name>', 'bind the token of the printed join command to this agent name');
    each.action(async (options) =>
      done(
        name === 'up'
          ? await (await import('../up.ts')).up(options, terminal)
          : await (await import('../serve.ts')).serve(options, terminal),
      ),
    );
  }

  withJson(
    program.command('migrate').description('create or upgrade the database, without starting anything'),
  )
    .option('--data <dir>', 'data folder of the control plane')
    .action(async (options) => done(await (await import('../migrate.ts')).migrate(options, terminal)));
}

function declareAgent(program: Command, terminal: Terminal, done: Done): void {
  withAgent(
    serverCommand(program, 'agent', 'agent on this machine: takes tasks, runs them, sends results', JSON_LOG),
  )
    .option('--data <dir>', 'where it keeps plans, batch files and its outbox')
    .option('--install', 'write a systemd unit that keeps it running, instead of running it')
    .option('--print', 'with --install: only show the unit')
    .option('--now', 'with --install: start it too, now and at each boot')
    .option('--user', 'with --install, as root: a unit of the user, not of the machine')
    .option('--uninstall', 'stop it and remove its unit')
    .action(async (options) => {
      if (options.install !== true && options.uninstall !== true) {
        const { requireInstall } = await import('../agent-settings.ts');
        requireInstall(options);
        return done(await (await import('../agent.ts')).agent(options, terminal));
      }
      const { installAgent, uninstallAgent } = await import('../install-agent.ts');
      done(await (options.install ? installAgent : uninstallAgent)(options, terminal));
    });
}

function withControlPlane(command: Command): Command {
  command
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <n>', 'port; 0 takes a free one', wholeNumber(0, 65_535))
    .option('--data <dir>', 'data folder (else ~/.local/share/planfleet)')
    .option('--tls-cert <file>', 'certificate (PEM)')
    .option('--tls-key <file>', 'its key (PEM)')
    .option('--insecure-http', 'allow another address than loopback without TLS');
  for (const name of ['lease-ms', 'tick-ms', 'poll-ms'])
    command.addOption(new Option(`--${name} <n>`).argParser(wholeNumber(1, 86_400_000)).hideHelp());
  return command;
}

function withAgent(command: Command): Command {
  return command
    .option('--name <name>', 'name of the agent (else the host name)')
    .option('--shared-dir <dir>', 'a folder that all agents see at this path; batch files stay there')
    .option('--slots <n>', 'CPU tasks at once (else the number of processors)', wholeNumber(0, 10_000))
    .option('--labels <labels>', 'what only this machine has, like a100,has-dataset-x')
    .option('--grace <duration>', 'for running tasks to end after a stop', '60s')
    .option('--secrets <file>', 'NAME=value lines for what plans call secrets (else secrets.env in its data)')
    .option(
      '--log-cap <mb>',
      'disk that the log of one attempt may take, in MB',
      wholeNumber(1, 1_000_000),
      64,
    );
}
