import type { Command } from 'commander';
import type { Terminal } from '../../client/terminal.ts';
import { type Done, serverCommand, wholeNumber } from './options.ts';

/** What is asked of the fleet, and done to it. */
export function declareOperations(program: Command, terminal: Terminal, done: Done): void {
  serverCommand(program, 'delete <batch>', 'remove an ended batch for good, with its tasks and their history')
    .option('--yes', 'without asking; needed where nobody can be asked')
    .action(async (batch, options) =>
      done(await (await import('../delete-batch.ts')).deleteBatch(batch, options, terminal)),
    );
  serverCommand(program, 'cancel <batch>', 'stop a batch; what runs is ended').action(
    async (batch, options) => done(await (await import('../cancel.ts')).cancel(batch, options, terminal)),
  );
  serverCommand(program, 'retry <batch-or-task>', 'try again what a batch gave up, or one task').action(
    async (id, options) => done(await (await import('../retry.ts')).retry(id, options, terminal)),
  );
  for (const [name, description] of [
    ['pause', 'begin no more tasks of a batch; what runs goes on'],
    ['resume', 'let a paused batch go on'],
  ] as const)
    serverCommand(program, `${name} <batch>`, description).action(async (batch, options) =>
      done(await (await import('../pause.ts')).pause(name, batch, options, terminal)),
    );
  for (const [name, description] of [
    ['abort', 'end the running attempt of a task: SIGTERM, and SIGKILL after 10 s'],
    ['kill', 'end the running attempt of a task at once: SIGKILL'],
  ] as const)
    serverCommand(program, `${name} <task>`, description).action(async (task, options) =>
      done(await (await import('../signal-task.ts')).signalTask(name, task, options, terminal)),
    );
  declareAgents(program, terminal, done);
  serverCommand(program, 'decisions [batch]', 'what the control plane decided, and why')
    .option('-f, --follow', 'go on with what is decided from now on')
    .option('--type <type>', 'only these: RETRY, ABANDON, LEASE_LOST, BATCH_FAILED, ...')
    .option('--limit <n>', 'the newest so many', wholeNumber(1, 1_000_000), 50)
    .action(async (batch, options) =>
      done(await (await import('../decisions.ts')).decisions(batch, options, terminal)),
    );
}

function declareAgents(program: Command, terminal: Terminal, done: Done): void {
  const agents = serverCommand(
    program,
    'agents [name]',
    'the machines; with a name, what one of them runs',
  ).action(async (name, options) =>
    done(await (await import('../agents.ts')).agents(name, options, terminal)),
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
          await (await import('../drain-agent.ts')).drainAgent(
            name,
            agent,
            command.optsWithGlobals(),
            terminal,
          ),
        ),
      );
}
