/**
 * `regionlab completion SHELL`: prints a script that lets a shell complete commands, options and their values. It is
 * generated from the declarations of the commands.
 */
import { Argument, type Command, type Option } from "commander";
import type { AcceptedWord } from "#machine";

/** A command and the words that call it: none for the program itself. */
interface Callable {
  readonly words: readonly string[];
  readonly command: Command;
  readonly options: readonly Completable[];
}

/** An option as shells complete it. */
interface Completable {
  /** Its names with their dashes. */
  readonly names: readonly string[];
  readonly takesValue: boolean;
  /** Values that it accepts; undefined: any, such as a file. */
  readonly values?: readonly string[] | undefined;
  readonly description: string;
}

/** Words of QEMU that a command accepts. */
type WordsOf = (command: Command) => readonly AcceptedWord[];

const SCRIPTS = { bash, zsh, fish } as const;

export function addCompletionCommand(program: Command, wordsOf: WordsOf): void {
  program
    .command("completion")
    .description('print a completion script for the shell; use it as eval "$(regionlab completion bash)"')
    .addArgument(new Argument("<shell>").choices(Object.keys(SCRIPTS)))
    .action((shell: keyof typeof SCRIPTS) => {
      process.stdout.write(SCRIPTS[shell](callables(program, wordsOf)));
    });
}

/** The program and all its commands. */
function callables(command: Command, wordsOf: WordsOf, words: readonly string[] = []): Callable[] {
  const options = command.options.filter(({ hidden }) => !hidden);
  const own = options.map((option): Completable => {
    const { required, optional, argChoices, description } = option;
    return { names: names(option), takesValue: required || optional, values: argChoices, description };
  });
  const theirs = words.length === 1 ? wordsOf(command) : [];
  const known = new Set(own.flatMap((each) => each.names));
  const added = theirs
    .filter(({ word }) => !known.has(word))
    .map(({ word, takesValue, option }): Completable => {
      const meant = options.find(({ long }) => long === `--${option}`);
      const description = meant?.description ?? "always the case here";
      return { names: [word], takesValue, values: meant?.argChoices, description };
    });
  const below = command.commands.flatMap((each) => callables(each, wordsOf, [...words, each.name()]));
  return [{ words, command, options: [...own, ...added] }, ...below];
}

/** Words that may follow a command: its subcommands, and the choices of its first argument. */
function nextWords({ command }: Callable): string[] {
  const named = command.commands.map((each) => each.name());
  return [...named, ...(command.registeredArguments[0]?.argChoices ?? [])];
}

/** Names of an option: `--name`, `-n`, or both. */
function names({ long, short }: Option): string[] {
  return [short, long].filter((name) => name != null);
}

function bash(commands: readonly Callable[]): string {
  const called = commands.flatMap(({ words }) => (words.length === 0 ? [] : [quoted(words.join(" "))]));
  const values = commands.flatMap(({ words, options }) =>
    options
      .filter(({ takesValue }) => takesValue)
      .map((option) => {
        const patterns = option.names.map((name) => quoted([...words, name].join(" ")));
        // Without values the shell falls back to file names.
        return `    ${patterns.join("|")}) ${completing(option.values ?? [])}; return ;;`;
      }),
  );
  const rest = commands.map((each) => {
    const options = each.options.flatMap((option) => option.names);
    return `    ${quoted(each.words.join(" "))}) options=${quoted(options.join(" "))}; words=${quoted(nextWords(each).join(" "))} ;;`;
  });
  return `_regionlab() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" called="" next word options words before=""
  # bash makes words of --option=value, zsh does not.
  if [[ "$current" == "=" ]]; then
    current=""
  elif [[ "$previous" == "=" ]]; then
    previous="\${COMP_WORDS[COMP_CWORD-2]}"
  elif [[ "$current" == --*=* ]]; then
    previous="\${current%%=*}" before="\${current%%=*}=" current="\${current#*=}"
  fi
  for word in "\${COMP_WORDS[@]:1:$((COMP_CWORD-1))}"; do
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
    : `COMPREPLY=($(compgen -P "$before" -W ${quoted(choices.join(" "))} -- "$current"))`;
}

/** zsh runs bash's script. */
function zsh(commands: readonly Callable[]): string {
  return `(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
autoload -Uz +X bashcompinit && bashcompinit
${bash(commands)}`;
}

function fish(commands: readonly Callable[]): string {
  const lines = commands.flatMap((each) => {
    const { words, command, options } = each;
    const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`).join("; and ");
    const at = words.length === 0 ? "" : ` -n ${quoted(seen)}`;
    const names = command.commands.map((sub) => sub.name()).join(" ");
    // Once the subcommand is there, files may follow.
    const before =
      words.length === 0 ? "__fish_use_subcommand" : `${seen}; and not __fish_seen_subcommand_from ${names}`;
    const subcommands = command.commands.map((sub) => {
      return `complete -c regionlab -n ${quoted(before)} -f -a ${sub.name()} -d ${quoted(sub.description())}`;
    });
    const [first, ...others] = command.registeredArguments;
    const choices = first?.argChoices ?? [];
    const until = [...command.commands.map((sub) => sub.name()), ...(others.length > 0 ? choices : [])];
    const atChoice =
      until.length === 0 ? seen : `${seen}; and not __fish_seen_subcommand_from ${until.join(" ")}`;
    const hasWords = options.some((option) => option.names.some(isWord));
    return [
      ...subcommands,
      ...(choices.length > 0
        ? [`complete -c regionlab -n ${quoted(atChoice)} -f -a ${quoted(choices.join(" "))}`]
        : []),
      ...options.map((option) => `complete -c regionlab${at}${fishOption(option, hasWords)}`),
    ];
  });
  return `${lines.join("\n")}\n`;
}

/** Whether a name has one dash and several letters. */
function isWord(name: string): boolean {
  return !name.startsWith("--") && name.length > 2;
}

/** @param hasWords whether the command has such names: fish would take `-ma` for `-m` with a value beside a short `-m` */
function fishOption({ names: all, takesValue, values, description }: Completable, hasWords: boolean): string {
  const named = all.map((name) => {
    if (name.startsWith("--")) return ` -l ${name.slice(2)}`;
    return `${hasWords || isWord(name) ? " -o" : " -s"} ${name.slice(1)}`;
  });
  const value = !takesValue ? " -f" : values === undefined ? " -r -F" : ` -x -a ${quoted(values.join(" "))}`;
  return `${named.join("")}${value} -d ${quoted(description)}`;
}

/** Quotes text as one word for any of the shells. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
