import { processTerminal } from './client/terminal.ts';
import { withAbilities } from './client/terminal-abilities.ts';
import { runCli } from './commands/run-cli.ts';

// `planfleet tasks | head` closes the pipe early; that is not an error.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });

process.exitCode = await runCli(process.argv.slice(2), withAbilities(processTerminal()));
