import { Argument, type Command } from 'commander';

import type { Host } from './host.ts';

/** Each asks the program itself, so that they know what it knows. */
const scripts: Readonly<Record<string, string>> = {
  bash: `_seneschal() {
  local IFS=$'\\n' line
  COMPREPLY=()
  while read -r line; do COMPREPLY+=("\${line%%$'\\t'*}"); done < <("\${COMP_WORDS[0]}" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _seneschal seneschal
`,
  zsh: `#compdef seneschal
_seneschal() {
  local -a found
  local line
  while IFS= read -r line; do
    found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done < <("\${words[1]}" complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#found} )); then _describe 'seneschal' found; else _files; fi
}
compdef _seneschal seneschal
`,
  fish: `complete -c seneschal -f -a '(set -l words (commandline -opc) (commandline -ct); seneschal complete -- $words[2..-1] 2>/dev/null)'
complete -c seneschal -n 'string match -qr -- "-file\\$" (commandline -opc)[-1]' -F
`,
};

const help = `
Examples:
  source <(seneschal completion bash)
  seneschal completion zsh > "\${fpath[1]}/_seneschal"
  seneschal completion fish > ~/.config/fish/completions/seneschal.fish`;

/** `seneschal completion SHELL`, and `seneschal complete`, which its scripts ask. */
export function addCompletion(program: Command, host: Host): void {
  program
    .command('completion')
    .description('Print the completion of a shell')
    .addArgument(new Argument('<shell>').choices(Object.keys(scripts)))
    .addHelpText('after', help)
    .action((shell: string) => void host.stdout.write(scripts[shell] ?? ''));
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .action((words: string[]) => {
      const lines = completions(program, words).map(([word, description]) => `${word}\t${description}\n`);
      host.stdout.write(lines.join(''));
    });
}

type Completion = [word: string, description: string];

/** What may stand where the last of the words is. */
export function completions(program: Command, words: readonly string[]): Completion[] {
  const begun = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  let command = program;
  for (const word of before) command = command.commands.find((one) => one.name() === word) ?? command;
  const choices = choicesOf(program, command, before.at(-1) ?? '');
  const found = choices ?? (begun.startsWith('-') ? optionsOf(program, command) : subcommandsOf(command));
  return found.filter(([word]) => word.startsWith(begun));
}

function subcommandsOf(command: Command): Completion[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((one): Completion => [one.name(), one.description()])
    .filter(([name]) => name !== 'help');
}

function optionsOf(program: Command, command: Command): Completion[] {
  return [...new Set([...command.options, ...program.options])]
    .filter(({ hidden }) => !hidden)
    .map(({ long, description }): Completion => [long ?? '', description]);
}

/** The values of the option before; undefined when that takes none, or any. */
function choicesOf(program: Command, command: Command, word: string): Completion[] | undefined {
  const option = [...command.options, ...program.options].find(({ long }) => long === word);
  return option?.argChoices?.map((choice): Completion => [choice, '']);
}
