import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** XDG says that a relative value is to be ignored. */
function baseFolder(env: Environment, variable: string, ...fallback: string[]): string {
  const value = env[variable];
  if (value !== undefined && isAbsolute(value)) return value;
  return join(env['HOME'] || homedir(), ...fallback);
}

/** `~/.config/planfleet/config.json` */
export function configFile(env: Environment): string {
  return join(baseFolder(env, 'XDG_CONFIG_HOME', '.config'), 'planfleet', 'config.json');
}

/** `~/.local/share/planfleet`: where `up` and `serve` keep everything. */
export function defaultDataFolder(env: Environment): string {
  return join(baseFolder(env, 'XDG_DATA_HOME', '.local', 'share'), 'planfleet');
}
