import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Terminal } from '../../client/terminal.ts';
import { collect, type Done, serverCommand, wholeNumber, withJson } from './options.ts';

/** What is done with a plan. */
export function declarePlans(program: Command, terminal: Terminal, done: Done): void {
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
      done(await (await import('../submit.ts')).submit(plan, options, terminal)),
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
      done(await (await import('../run.ts')).run(command, options, terminal)),
    );

  serverCommand(program, 'validate <plan>', 'everything that is wrong with a plan; stores nothing')
    .option('--fix', 'repair in plan.md what leaves no doubt, and show what was changed')
    .action(async (plan, options) =>
      done(await (await import('../validate.ts')).validate(plan, options, terminal)),
    );

  declarePlanGroup(program, terminal, done);
}

function declarePlanGroup(program: Command, terminal: Terminal, done: Done): void {
  const plan = program.command('plan').description('plans that the control plane keeps, and new ones');
  const command = (usage: string, description: string) => serverCommand(plan, usage, description);
  command('register <plan>', 'keep a plan, to be submitted by name; new content is a new version')
    .option('--name <name>', 'its name (else that of the folder)')
    .action(async (path, options) =>
      done(await (await import('../register-plan.ts')).registerPlan(path, options, terminal)),
    );
  command('list', 'all registered plans, with their newest version').action(async (options) =>
    done(await (await import('../list-plans.ts')).listPlans(options, terminal)),
  );
  command('show <plan>', 'the inputs and tasks of a registered plan: NAME, or NAME@VERSION')
    .option('--markdown', 'its plan.md instead, as it was registered')
    .action(async (name, options) =>
      done(await (await import('../show-plan.ts')).showPlan(name, options, terminal)),
    );
  withJson(
    plan.command('init <name>').description('a folder with a plan that runs as it is, to build on'),
  ).action(async (name, options) =>
    done(await (await import('../init-plan.ts')).initPlan(name, options, terminal)),
  );
}

function idempotencyKey(text: string): string {
  if (!/^[\x20-\x7e]{1,200}$/.test(text) || text.trim() !== text)
    throw new InvalidArgumentError('It is 1 to 200 printable ASCII characters, without spaces around them.');
  return text;
}
