import { Command, InvalidArgumentError, Option } from 'commander';
import type { Terminal } from '../client/terminal.ts';
import { VERSION } from '../client/version.ts';

const collect = (value: string, before: readonly string[] = []) => [...before, value];

function wholeNumber(from: number, to: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < from || value > to)
      throw new InvalidArgumentError(`It is a whole number from ${from} to ${to}.`);
    return value;
  };
}

function idempotencyKey(text: string): string {
  if (!/^[\x20-\x7e]{1,200}$/.test(text) || text.trim() !== text)
    throw new InvalidArgumentError('It is 1 to 200 printable ASCII characters, without spaces around them.');
  return text;
}

/**
 * Declares every command. What a command does is loaded when it runs, so that `planfleet --version`
 * does not load a database and a server.
 */
export function buildProgram(terminal: Terminal, done: (code: number) => void, json = false): Command {
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
  declareDoctor(program, terminal, done);
  declarePlans(program, terminal, done);
  declareRegistry(program, terminal, done);
  declareViews(program, terminal, done);
  declareOperations(program, terminal, done);
  declareTokens(program, terminal, done);
  declareNewPlans(program, terminal, done);
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

type Done = (code: number) => void;

const JSON_LOG = 'what happens as lines of JSON, for programs';

/** Commands that run until a signal, and what prepares them. */
function declareServers(program: Command, terminal: Terminal, done: Done): void {
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
          ? await (await import('./up.ts')).up(options, terminal)
          : await (await import('./serve.ts')).serve(options, terminal),
      ),
    );
  }

  withJson(
    program.command('migrate').description('create or upgrade the database, without starting anything'),
  )
    .option('--data <dir>', 'data folder of the control plane')
    .action(async (options) => done(await (await import('./migrate.ts')).migrate(options, terminal)));

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
        const { requireInstall } = await import('./agent-settings.ts');
        requireInstall(options);
        return done(await (await import('./agent.ts')).agent(options, terminal));
      }
      const { installAgent, uninstallAgent } = await import('./install-agent.ts');
      done(await (options.install ? installAgent : uninstallAgent)(options, terminal));
    });
}

/** What tells about this machine. */
function declareDoctor(program: Command, terminal: Terminal, done: Done): void {
  serverCommand(program, 'doctor', 'what works here and what does not, and what to do about it')
    .option('--data <dir>', 'data folder to look at (else ~/.local/share/planfleet)')
    .action(async (options) => done(await (await import('./doctor.ts')).doctor(options, terminal)));
}

/** What is done with a plan. */
function declarePlans(program: Command, terminal: Terminal, done: Done): void {
  serverCommand(program, 'submit [plan]', 'submit a plan: its folder, or a plan.md that needs nothing else')
    .option('--plan <name>', 'a registered plan instead: NAME, or NAME@VERSION')
    .option('--config <json>', 'inputs as a JSON object, or @file')
    .option('-i, --input <key=value>', 'an input: KEY=VALUE, or KEY=@PATH to send a file or folder', collect)
    .option('--name <name>', 'name of the batch, instead of the plan')
    .option('--priority <n>', '1 to 10, higher first', wholeNumber(1, 10))
    .option('--watch', 'show progress until the end, then fetch output files')
    .addOption(
      new Option(
        '--idempotency-key <key>',
        'submitted again with the same key, it is still one batch (else a random one)',
      ).argParser(idempotencyKey),
    )
    .action(async (plan, options) =>
      done(await (await import('./submit.ts')).submit(plan, options, terminal)),
    );

  serverCommand(program, 'run <command...>', 'a batch of one task: planfleet run [options] -- CMD ARGS...')
    .usage('[options] -- CMD ARGS...')
    .option('--name <name>', 'name of the batch, instead of the command')
    .option('--label <label>', 'only on a machine with this label; may be repeated', collect)
    .option('--env <key=value>', 'a variable for the command; may be repeated', collect)
    .option('--timeout <duration>', 'end it after so long, like 20m')
    .option('--priority <n>', '1 to 10, higher first', wholeNumber(1, 10))
    .option('--watch', 'stay until the end and print its output, which is the default')
    .option('-d, --detach', 'return at once')
    .addHelpText(
      'after',
      "\nArguments arrive as they are. For pipes and variables: planfleet run -- bash -c '...'",
    )
    .action(async (command, options) =>
      done(await (await import('./run.ts')).run(command, options, terminal)),
    );

  serverCommand(program, 'validate <plan>', 'everything that is wrong with a plan; stores nothing')
    .option('--fix', 'repair in plan.md what leaves no doubt, and show what was changed')
    .action(async (plan, options) =>
      done(await (await import('./validate.ts')).validate(plan, options, terminal)),
    );
}

/** Plans that the control plane keeps. */
function declareRegistry(program: Command, terminal: Terminal, done: Done): void {
  const plan = program.command('plan').description('plans that the control plane keeps');
  const command = (usage: string, description: string) => serverCommand(plan, usage, description);
  command('register <plan>', 'keep a plan, to be submitted by name; new content is a new version')
    .option('--name <name>', 'its name (else that of the folder)')
    .action(async (path, options) =>
      done(await (await import('./register-plan.ts')).registerPlan(path, options, terminal)),
    );
  command('list', 'all registered plans, with their newest version').action(async (options) =>
    done(await (await import('./list-plans.ts')).listPlans(options, terminal)),
  );
  command('show <plan>', 'the inputs and tasks of a registered plan: NAME, or NAME@VERSION')
    .option('--markdown', 'its plan.md instead, as it was registered')
    .action(async (name, options) =>
      done(await (await import('./show-plan.ts')).showPlan(name, options, terminal)),
    );
}

/** What is asked about batches. */
function declareViews(program: Command, terminal: Terminal, done: Done): void {
  serverCommand(program, 'status [batch]', 'the latest batches and all agents, or the stages of one batch')
    .option('--watch', 'with a batch: show progress until its end')
    .option(
      '-o, --output <name=path>',
      'with --watch: an output to fetch, as it was given to submit',
      collect,
    )
    .action(async (batch, options) =>
      done(await (await import('./status.ts')).status(batch, options, terminal)),
    );

  serverCommand(program, 'watch <batch>', 'progress of a batch until its end, and when that is expected')
    .option('-o, --output <name=path>', 'an output to fetch, as it was given to submit', collect)
    .action(async (batch, options) =>
      done(await (await import('./status.ts')).status(batch, { ...options, watch: true }, terminal)),
    );

  serverCommand(
    program,
    'files <batch> [get] [path] [dir]',
    'the files of a batch; get: copies a file or a folder here',
  )
    .option('--prefix <text>', 'only those whose path begins so')
    .action(async (batch, action, path, folder, options) =>
      done(await (await import('./files.ts')).files(batch, { action, path, folder }, options, terminal)),
    );

  serverCommand(program, 'tasks <batch>', 'the tasks of a batch')
    .option('--state <state>', 'only these: waiting, ready, leased, backoff, succeeded, abandoned, ...')
    .option('--stage <stage>', 'only those of one stage')
    .option('--limit <n>', 'stop after so many', wholeNumber(1, 1_000_000))
    .action(async (batch, options) =>
      done(await (await import('./tasks.ts')).tasks(batch, options, terminal)),
    );

  serverCommand(
    program,
    'task <task>',
    'every attempt of a task (BATCH:stage:ordinal), its command and output',
  ).action(async (task, options) => done(await (await import('./task.ts')).task(task, options, terminal)));

  serverCommand(program, 'logs <task>', 'the output of a task', 'what there is as lines of JSON')
    .option('-f, --follow', 'go on with what is printed, until the attempt ends')
    .option('--attempt <n>', 'another attempt than the newest', wholeNumber(1, 1_000_000))
    .action(async (task, options) => done(await (await import('./logs.ts')).logs(task, options, terminal)));

  serverCommand(program, 'delete <batch>', 'remove an ended batch for good, with its tasks and their history')
    .option('--yes', 'without asking; needed where nobody can be asked')
    .action(async (batch, options) =>
      done(await (await import('./delete-batch.ts')).deleteBatch(batch, options, terminal)),
    );

  serverCommand(
    program,
    'explain <batch-or-task>',
    'why a task does not run, or which stages of a batch do not move',
  ).action(async (id, options) => done(await (await import('./explain.ts')).explain(id, options, terminal)));
}

/** What is asked of the fleet, and done to it. */
function declareOperations(program: Command, terminal: Terminal, done: Done): void {
  serverCommand(program, 'cancel <batch>', 'stop a batch; what runs is ended').action(
    async (batch, options) => done(await (await import('./cancel.ts')).cancel(batch, options, terminal)),
  );
  serverCommand(program, 'retry <batch-or-task>', 'try again what a batch gave up, or one task').action(
    async (id, options) => done(await (await import('./retry.ts')).retry(id, options, terminal)),
  );
  for (const [name, description] of [
    ['pause', 'begin no more tasks of a batch; what runs goes on'],
    ['resume', 'let a paused batch go on'],
  ] as const)
    serverCommand(program, `${name} <batch>`, description).action(async (batch, options) =>
      done(await (await import('./pause.ts')).pause(name, batch, options, terminal)),
    );
  for (const [name, description] of [
    ['abort', 'end the running attempt of a task: SIGTERM, and SIGKILL after 10 s'],
    ['kill', 'end the running attempt of a task at once: SIGKILL'],
  ] as const)
    serverCommand(program, `${name} <task>`, description).action(async (task, options) =>
      done(await (await import('./signal-task.ts')).signalTask(name, task, options, terminal)),
    );
  declareAgents(program, terminal, done);
  serverCommand(program, 'decisions [batch]', 'what the control plane decided, and why')
    .option('-f, --follow', 'go on with what is decided from now on')
    .option('--type <type>', 'only these: RETRY, ABANDON, LEASE_LOST, BATCH_FAILED, ...')
    .option('--limit <n>', 'the newest so many', wholeNumber(1, 1_000_000), 50)
    .action(async (batch, options) =>
      done(await (await import('./decisions.ts')).decisions(batch, options, terminal)),
    );
}

function declareAgents(program: Command, terminal: Terminal, done: Done): void {
  const agents = serverCommand(
    program,
    'agents [name]',
    'the machines; with a name, what one of them runs',
  ).action(async (name, options) =>
    done(await (await import('./agents.ts')).agents(name, options, terminal)),
  );
  // The group has these options too, and takes them from behind the word as well.
  for (const [name, description] of [
    ['drain', 'give an agent nothing new; what it runs ends normally'],
    ['resume', 'give a draining agent tasks again'],
  ] as const)
    agents
      .command(`${name} <agent>`)
      .description(description)
      .action(async (agent, _options, command: Command) =>
        done(
          await (await import('./drain-agent.ts')).drainAgent(
            name,
            agent,
            command.optsWithGlobals(),
            terminal,
          ),
        ),
      );
}

function serverCommand(program: Command, usage: string, description: string, json?: string): Command {
  return withServer(withJson(program.command(usage).description(description), json));
}

function withJson(command: Command, json = 'the answer as JSON, for programs'): Command {
  return command.option('--json', json);
}

function declareTokens(program: Command, terminal: Terminal, done: Done): void {
  const tokens = program.command('tokens').description('make, list and revoke tokens');
  const command = (usage: string, description: string) =>
    withServer(tokens.command(usage).description(description).option('--json', 'the answer as JSON'));
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
      done(await (await import('./create-token.ts')).createToken(options, terminal)),
    );
  command('list', 'all tokens that were made by the control plane').action(async (options) =>
    done(await (await import('./list-tokens.ts')).listTokens(options, terminal)),
  );
  command('revoke <jti>', 'a token is refused from now on').action(async (jti, options) =>
    done(await (await import('./revoke-token.ts')).revokeToken(jti, options, terminal)),
  );
}

function withServer(command: Command): Command {
  return command
    .option('--url <url>', 'control plane (else PLANFLEET_URL, else the config file)')
    .option('--token <token>', 'token (else PLANFLEET_TOKEN, else the config file)');
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

/** In the group of what is done with plans. */
function declareNewPlans(program: Command, terminal: Terminal, done: Done): void {
  const group = program.commands.find((command) => command.name() === 'plan');
  const plan = group ?? program.command('plan').description('make plans');
  withJson(
    plan.command('init <name>').description('a folder with a plan that runs as it is, to build on'),
  ).action(async (name, options) =>
    done(await (await import('./init-plan.ts')).initPlan(name, options, terminal)),
  );
}

function pathOf(command: Command): string {
  const group = command.parent;
  return group === null || group.parent === null ? command.name() : `${group.name()} ${command.name()}`;
}
