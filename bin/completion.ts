/**
 * `regionlab completion SHELL`: prints a script that lets a shell complete commands, options and their values. It is
 * generated from the declarations of the commands.
 */
import { Argument, type Command, type Option } from "commander";

/** A command and the words that call it: none for the program itself. */
interface Callable {
  readonly words: readonly string[];
  readonly command: Command;
  readonly options: readonly Option[];
}

const SCRIPTS = { bash, zsh, fish } as const;

export function addCompletionCommand(program: Command): void {
  program
    .command("completion")
    .description('print a completion script for the shell; use it as eval "$(regionlab completion bash)"')
    .addArgument(new Argument("<shell>").choices(Object.keys(SCRIPTS)))
    .action((shell: keyof typeof SCRIPTS) => {
      process.stdout.write(SCRIPTS[shell](callables(program)));
    });
}

/** The program and all its commands. */
function callables(command: Command, words: readonly string[] = []): Callable[] {
  const own = { words, command, options: command.options.filter(({ hidden }) => !hidden) };
  return [own, ...command.commands.flatMap((each) => callables(each, [...words, each.name()]))];
}

/** Words that may follow a command: its subcommands, or the choices of its first argument. */
function nextWords({ command }: Callable): string[] {
  const named = command.commands.map((each) => each.name());
  return named.length > 0 ? named : [...(command.registeredArguments[0]?.argChoices ?? [])];
}

/** Names of an option: `--name`, `-n`, or both. */
function names({ long, short }: Option): string[] {
  return [short, long].filter((name) => name != null);
}

function takesValue({ required, optional }: Option): boolean {
  return required || optional;
}

function bash(commands: readonly Callable[]): string {
  const called = commands.flatMap(({ words }) => (words.length === 0 ? [] : [quoted(words.join(" "))]));
  const values = commands.flatMap(({ words, options }) =>
    options.filter(takesValue).map((option) => {
      const patterns = names(option).map((name) => quoted([...words, name].join(" ")));
      // Without choices the shell falls back to file names.
      return `    ${patterns.join("|")}) ${completing(option.argChoices ?? [])}; return ;;`;
    }),
  );
  const rest = commands.map((each) => {
    const options = each.options.flatMap(names);
    return `    ${quoted(each.words.join(" "))}) options=${quoted(options.join(" "))}; words=${quoted(nextWords(each).join(" "))} ;;`;
  });
  return `_regionlab() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" called="" next word options words
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="\${called:+$called }$word"
    case "$next" in
    ${called.join("|")}) called="$next" ;;
    esac
  done
  COMPREPLY=()
  case "\${called:+$called }$previous" in
${values.join("\n")}
  esac
  case "$called" in
${rest.join("\n")}
  esac
  if [[ "$current" == -* ]]; then words="$options"; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _regionlab regionlab
`;
}

function completing(choices: readonly string[]): string {
  return choices.length === 0
    ? "COMPREPLY=()"
    : `COMPREPLY=($(compgen -W ${quoted(choices.join(" "))} -- "$current"))`;
}

/** zsh runs bash's script. */
function zsh(commands: readonly Callable[]): string {
  return `autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n${bash(commands)}`;
}

function fish(commands: readonly Callable[]): string {
  const lines = commands.flatMap((each) => {
    const { words, command, options } = each;
    const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`).join("; and ");
    const at = words.length === 0 ? "" : ` -n ${quoted(seen)}`;
    const subcommands = command.commands.map((sub) => {
      const before = words.length === 0 ? "__fish_use_subcommand" : seen;
      return `complete -c regionlab -n ${quoted(before)} -f -a ${sub.name()} -d ${quoted(sub.description())}`;
    });
    const choices = command.registeredArguments[0]?.argChoices ?? [];
    return [
      ...subcommands,
      ...(choices.length > 0 ? [`complete -c regionlab${at} -f -a ${quoted(choices.join(" "))}`] : []),
      ...options.map((option) => `complete -c regionlab${at}${fishOption(option)}`),
    ];
  });
  return `${lines.join("\n")}\n`;
}

function fishOption(option: Option): string {
  const { long, short, argChoices, description } = option;
  const named = [
    ...(short == null ? [] : [` -s ${short.slice(1)}`]),
    ...(long == null ? [] : [` -l ${long.slice(2)}`]),
  ];
  const value = !takesValue(option)
    ? " -f"
    : argChoices === undefined
      ? " -r -F"
      : ` -x -a ${quoted(argChoices.join(" "))}`;
  return `${named.join("")}${value} -d ${quoted(description)}`;
}

/** Quotes text as one word for any of the shells. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
