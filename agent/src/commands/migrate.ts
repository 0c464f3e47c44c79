import { resolve } from 'node:path';
import { EXIT, type ExitCode } from '../client/cli-error.ts';
import { defaultDataFolder } from '../client/config-folders.ts';
import { makeDataFolder } from '../client/make-data-folder.ts';
import { printJson, type Terminal } from '../client/terminal.ts';

export async function migrate(
  options: { data?: string; json?: boolean },
  terminal: Terminal,
): Promise<ExitCode> {
  const data =
    options.data === undefined ? defaultDataFolder(terminal.env) : resolve(terminal.cwd, options.data);
  await makeDataFolder(data);
  const { migrateDatabase } = await import('@planfleet/control-plane');
  const migrated = await migrateDatabase({ data });
  if (options.json) printJson(terminal, migrated);
  else if (migrated.applied.length === 0)
    terminal.out(`The database in ${data} is up to date (version ${migrated.version}).`);
  else
    terminal.out(
      `The database in ${data} is now version ${migrated.version}: ${migrated.applied.join(', ')}`,
    );
  return EXIT.done;
}
