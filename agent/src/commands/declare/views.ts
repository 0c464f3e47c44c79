import type { Command } from 'commander';
import type { Terminal } from '../../client/terminal.ts';
import { collect, type Done, serverCommand, wholeNumber } from './options.ts';

/** What is asked about batches. */
export function declareViews(program: Command, terminal: Terminal, done: Done): void {
  serverCommand(program, 'status [batch]', 'the latest batches and all agents, or the stages of one batch')
    .option('--watch', 'with a batch: show progress until its end')
    .option(
      '-o, --output <name=path>',
      'with --watch: an output to fetch, as it was given to submit',
      collect,
    )
    .action(async (batch, options) =>
      done(await (await import('../status.ts')).status(batch, options, terminal)),
    );

  serverCommand(program, 'watch <batch>', 'progress of a batch until its end, and when that is expected')
    .option('-o, --output <name=path>', 'an output to fetch, as it was given to submit', collect)
    .action(async (batch, options) =>
      done(await (await import('../status.ts')).status(batch, { ...options, watch: true }, terminal)),
    );

  serverCommand(
    program,
    'files <batch> [get] [path] [dir]',
    'the files of a batch; get: copies a file or a folder here',
  )
    .option('--prefix <text>', 'only those whose path begins so')
    .action(async (batch, action, path, folder, options) =>
      done(await (await import('../files.ts')).files(batch, { action, path, folder }, options, terminal)),
    );

  declareTaskViews(program, terminal, done);

  serverCommand(
    program,
    'explain <batch-or-task>',
    'why a task does not run, or which stages of a batch do not move',
  ).action(async (id, options) => done(await (await import('../explain.ts')).explain(id, options, terminal)));
}

function declareTaskViews(program: Command, terminal: Terminal, done: Done): void {
  serverCommand(program, 'tasks <batch>', 'the tasks of a batch')
    .option('--state <state>', 'only these: waiting, ready, leased, backoff, succeeded, abandoned, ...')
    .option('--stage <stage>', 'only those of one stage')
    .option('--limit <n>', 'stop after so many', wholeNumber(1, 1_000_000))
    .action(async (batch, options) =>
      done(await (await import('../tasks.ts')).tasks(batch, options, terminal)),
    );

  serverCommand(
    program,
    'task <task>',
    'every attempt of a task (BATCH:stage:ordinal), its command and output',
  ).action(async (task, options) => done(await (await import('../task.ts')).task(task, options, terminal)));

  serverCommand(program, 'logs <task>', 'the output of a task', 'what there is as lines of JSON')
    .option('-f, --follow', 'go on with what is printed, until the attempt ends')
    .option('--attempt <n>', 'another attempt than the newest', wholeNumber(1, 1_000_000))
    .action(async (task, options) => done(await (await import('../logs.ts')).logs(task, options, terminal)));
}
