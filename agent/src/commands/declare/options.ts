import { type Command, InvalidArgumentError } from 'commander';

/** Tells the caller that the command has ended, and its exit code. */
export type Done = (code: number) => void;

/** An option that may be repeated: all its values in order. */
export const collect = (value: string, before: readonly string[] = []) => [...before, value];

/** An argument that is digits alone, within bounds that belong to it. */
export function wholeNumber(from: number, to: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < from || value > to)
      throw new InvalidArgumentError(`It is a whole number from ${from} to ${to}.`);
    return value;
  };
}

/** A command that asks a control plane, and can answer in JSON. */
export function serverCommand(program: Command, usage: string, description: string, json?: string): Command {
  return withServer(withJson(program.command(usage).description(description), json));
}

export function withJson(command: Command, json = 'the answer as JSON, for programs'): Command {
  return command.option('--json', json);
}

function withServer(command: Command): Command {
  return command
    .option('--url <url>', 'control plane (else PLANFLEET_URL, else the config file)')
    .option('--token <token>', 'token (else PLANFLEET_TOKEN, else the config file)');
}
