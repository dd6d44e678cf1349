/** From an `init` function to the `new` function beside it: names, parameters, prototypes and documentation. */
import { CommandError } from "#host";
import { realign, WIDTH } from "../layout.ts";
import type { CFunction, Parameter } from "./functions.ts";

export const INIT = "memory_region_init";
export const NEW = "memory_region_new";
export const DO_INIT = "memory_region_do_init";

/** The `new` counterpart of one `init` function. */
export interface Constructor {
  readonly init: CFunction;
  readonly name: string;
  readonly returns: string;
  /** Those of `init` but for the region, and for the size of the storage if `init` takes that. */
  readonly parameters: readonly Parameter[];
  /** Parameter that names the type; undefined where it is always a plain region. */
  readonly type: Parameter | undefined;
  /** Whether it can fail: then it returns a null pointer. */
  readonly mayFail: boolean;
}

/** @throws CommandError if the function is not what it is in the versions of QEMU that are understood. */
export function constructorFor(init: CFunction, file: string): Constructor {
  const [region, ...others] = init.parameters;
  const where = `${file}: ${init.name}`;
  if (region === undefined || !/^(?:MemoryRegion|void) \*\w+$/.test(region.text)) {
    throw new CommandError(`${where} does not take the region first; add-api does not understand this tree`);
  }
  const takesError = others.some(({ text }) => /^Error \*\*\w+$/.test(text));
  if (takesError && init.returns !== "bool") {
    throw new CommandError(
      `${where} returns ${init.returns}, so a caller cannot tell that it failed; use a QEMU from 9.0 on, where it returns bool`,
    );
  }
  for (const name of ["owner", "name"]) {
    if (!others.some((parameter) => parameter.name === name)) {
      throw new CommandError(`${where} has no parameter ${name}; add-api does not understand this tree`);
    }
  }
  const typed = region.text.startsWith("void");
  const type = typed
    ? others.find(({ text }) => text.startsWith("const char *") && !text.endsWith("*name"))
    : undefined;
  if (typed && type === undefined) {
    throw new CommandError(
      `${where} takes storage of any type and no name of a type; add-api does not understand this tree`,
    );
  }
  return {
    init,
    name: NEW + init.name.slice(INIT.length),
    returns: typed ? "IOMMUMemoryRegion *" : "MemoryRegion *",
    parameters: others.filter(({ text }) => !(typed && text === "size_t instance_size")),
    type,
    mayFail: takesError,
  };
}

/** A head of a function, one parameter a line as the memory API has it. */
export function head(returns: string, name: string, parameters: readonly Parameter[]): string {
  const start = `${returns}${returns.endsWith("*") ? "" : " "}${name}(`;
  const lines = parameters.map(({ written, column }) => realign(written, column, start.length));
  return `${start}${lines.join(`,\n${" ".repeat(start.length)}`)})`;
}

/** A call, wrapped where the line is full. `column` is where it begins. */
export function call(name: string, parameters: readonly string[], column: number): string {
  const margin = " ".repeat(column + name.length + 1);
  let text = `${name}(`;
  let at = column + text.length;
  for (const [index, parameter] of parameters.entries()) {
    const piece = parameter + (index === parameters.length - 1 ? ")" : ",");
    // A semicolon, or a bracket and a brace, may follow.
    if (index > 0 && at + 1 + piece.length + 3 > WIDTH) {
      text += `\n${margin}${piece}`;
      at = margin.length + piece.length;
    } else {
      text += (index > 0 ? " " : "") + piece;
      at += (index > 0 ? 1 : 0) + piece.length;
    }
  }
  return text;
}

/** What the constructors' parameters are, by name. */
const MEANINGS: ReadonlyMap<string, string> = new Map([
  ["owner", "the object that gets the region as a child, and frees it when it dies"],
  ["name", "name of the region, and of the child property; must not be NULL"],
  ["size", "size of the region in bytes; UINT64_MAX stands for 2^64"],
  ["ops", "callbacks for accesses"],
  ["opaque", "passed to the callbacks"],
  ["orig", "the region that the alias shows"],
  ["offset", "where in the region or the file it begins"],
  ["errp", "set if the backing memory cannot be had"],
  ["ram_flags", "flags of the RAM block"],
  ["max_size", "largest size that the region may grow to"],
  ["resized", "called when the used size changes"],
  ["align", "alignment of the backing memory; 0 for the default"],
  ["path", "file or folder that backs the memory"],
  ["fd", "file descriptor that backs the memory"],
  ["ptr", "memory of the host that the region shows; must not be NULL"],
  ["mrtypename", "QOM type of the region, derived from TYPE_IOMMU_MEMORY_REGION"],
]);

/** The documentation comment and the declaration for the header. @throws CommandError for a parameter that is not known. */
export function declarationOf(counterpart: Constructor, file: string): string {
  const { init, name, parameters, returns, mayFail } = counterpart;
  const lines = [
    `${name}: Allocate a region, and initialize it`,
    "",
    `Initializes the region as ${init.name}() does.`,
    "The region is a child of @owner, which holds the only reference to it: its",
    "storage is freed when the owner dies or object_unparent() is called, as soon",
    "as nobody else holds a reference. The caller borrows the pointer and must not",
    "unref it.",
    "",
    ...parameters.flatMap((parameter) => {
      const meaning = MEANINGS.get(parameter.name);
      if (meaning === undefined) {
        throw new CommandError(
          `${file}: ${init.name} has a parameter ${parameter.name} that add-api does not know; describe it in add-api/constructor.ts`,
        );
      }
      return [`@${parameter.name}: ${meaning}`];
    }),
    "",
    mayFail
      ? "Return: the region, or NULL with @errp set; then no child is left behind."
      : "Return: the region, never NULL.",
  ];
  const comment = lines.map((line) => (line === "" ? " *" : ` * ${line}`)).join("\n");
  return `/**\n${comment}\n */\n${head(returns, name, parameters)};`;
}
