import type { Command } from 'commander';
import { EXIT, type ExitCode, usageError } from '../client/cli-error.ts';
import { quoteForShell } from '../client/quote-for-shell.ts';
import type { Terminal } from '../client/terminal.ts';

/** A script that teaches a shell the commands and options, made from those that there are. */
export function completion(shell: string, program: Command, terminal: Terminal): ExitCode {
  const script = SCRIPTS[shell];
  if (script === undefined)
    throw usageError(
      `there is no completion for "${shell}"`,
      `The shells: ${Object.keys(SCRIPTS).join(', ')}.`,
    );
  terminal.out(script(program.commands).trimEnd());
  return EXIT.done;
}

type Commands = readonly Command[];

const SCRIPTS: Readonly<Record<string, (commands: Commands) => string>> = {
  bash: (commands) =>
    `# planfleet completion bash > ~/.local/share/bash-completion/completions/planfleet\n${bashScript(commands)}`,
  zsh: (commands) =>
    `#compdef planfleet\n# planfleet completion zsh > a folder of your fpath, as _planfleet\nautoload -U +X bashcompinit && bashcompinit\n${bashScript(commands)}`,
  fish: (commands) =>
    `# planfleet completion fish > ~/.config/fish/completions/planfleet.fish\n${fishScript(commands)}`,
};

function optionsOf(command: Command) {
  return command.options.filter((option) => !option.hidden && option.long !== undefined);
}

const namesOf = (commands: Commands) => commands.map((command) => command.name()).join(' ');
const flagsOf = (command: Command) =>
  [...optionsOf(command).map((option) => option.long), '--help'].join(' ');

function bashScript(commands: Commands): string {
  const cases = commands.map((command) => {
    if (command.commands.length === 0) return `    ${command.name()}) words=${quote(flagsOf(command))} ;;`;
    const inner = command.commands.map((each) => `        ${each.name()}) words=${quote(flagsOf(each))} ;;`);
    return [
      `    ${command.name()}) case "$second" in`,
      ...inner,
      `        *) words=${quote(namesOf(command.commands))} ;;`,
      '      esac ;;',
    ].join('\n');
  });
  return `_planfleet() {
  local current="\${COMP_WORDS[COMP_CWORD]}" first="" second="" words=""
  [ "$COMP_CWORD" -gt 1 ] && first="\${COMP_WORDS[1]}"
  [ "$COMP_CWORD" -gt 2 ] && second="\${COMP_WORDS[2]}"
  case "$first" in
    '') words=${quote(namesOf(commands))} ;;
${cases.join('\n')}
  esac
  # Nothing that fits: the shell goes on with file names.
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _planfleet planfleet
`;
}

function fishScript(commands: Commands): string {
  const lines = ['complete -c planfleet -f -n __fish_use_subcommand'];
  const add = (when: string, what: string, description: string) =>
    lines.push(`complete -c planfleet -n ${quote(when)} ${what} -d ${quote(description)}`);
  const addOptions = (when: string, command: Command) => {
    for (const option of optionsOf(command)) add(when, `-l ${option.long?.slice(2)}`, option.description);
  };
  for (const command of commands) {
    add('__fish_use_subcommand', `-a ${command.name()}`, command.description());
    const seen = `__fish_seen_subcommand_from ${command.name()}`;
    if (command.commands.length === 0) addOptions(seen, command);
    for (const each of command.commands) {
      add(
        `${seen}; and not __fish_seen_subcommand_from ${namesOf(command.commands)}`,
        `-a ${each.name()}`,
        each.description(),
      );
      addOptions(`${seen}; and __fish_seen_subcommand_from ${each.name()}`, each);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** Always in quotes, for bash, zsh and fish alike. */
function quote(text: string): string {
  const word = quoteForShell(text);
  return word === text ? `'${text}'` : word;
}
