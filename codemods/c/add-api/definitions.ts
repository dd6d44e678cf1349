/**
 * Adds the definitions. What an `init` function does to storage that is there already moves to a static function that it
 * shares with the new one: the two differ only in where the storage comes from.
 */
import { CommandError } from "#host";
import { applyEdits, type TextEdit } from "../../source/edits.ts";
import { columnAfter, lineEnd, lineStart, realign } from "../layout.ts";
import { type Constructor, call, constructorFor, DO_INIT, head, INIT, NEW } from "./constructor.ts";
import { type Call, type CFunction, functionsNamed, type Parameter } from "./functions.ts";

const ALLOC = "memory_region_alloc";

/** The text with a definition for each of the constructors. @throws CommandError if it is not understood. */
export function addDefinitions(text: string, wanted: ReadonlySet<string>, file: string): string {
  const shared = functionsNamed(text, DO_INIT).filter(({ calls }) => calls !== undefined);
  const base = shared.find(({ name }) => name === DO_INIT);
  if (base === undefined || base.parameters.length !== 4) {
    throw new CommandError(
      `${file} has no ${DO_INIT} of four parameters; add-api does not understand this tree`,
    );
  }
  const definitions = functionsNamed(text, INIT)
    .filter(({ name, calls }) => calls !== undefined && isInit(name))
    .map((definition) => ({ definition, split: splitOf(definition, file) }));
  const missing = [...wanted].filter(
    (name) => !definitions.some(({ split }) => split.counterpart.name === name),
  );
  if (missing.length > 0) {
    throw new CommandError(
      `${file} does not define ${missing.map(initOf).join(", ")}, which the header declares`,
    );
  }
  const edits: TextEdit[] = [];
  const splits = definitions
    .filter(({ split }) => wanted.has(split.counterpart.name))
    .map(({ split }) => split);
  for (const split of splits) {
    if (split.storage !== undefined && split.counterpart.init.name === INIT) edits.push(...addPlain(split));
    else edits.push(...share(text, split));
  }
  edits.push({ start: base.end, end: base.end, text: `\n\n${allocation()}` });
  edits.push(...forwardDeclarations(splits));
  return applyEdits(text, edits);
}

export const isInit = (name: string): boolean => name === INIT || name.startsWith(`${INIT}_`);
const initOf = (name: string): string => INIT + name.slice(NEW.length);
const sharedName = (init: string): string => DO_INIT + init.slice(INIT.length);

/** An `init` function, with what becomes of its parts. */
interface Split {
  readonly counterpart: Constructor;
  /** The call that initialises the storage as an object; undefined if another `init` function does it. */
  readonly storage: Call | undefined;
  /** Calls of other `init` functions. */
  readonly inner: readonly Call[];
  readonly sharedParameters: readonly Parameter[];
}

function splitOf(definition: CFunction, file: string): Split {
  const counterpart = constructorFor(definition, file);
  const calls = definition.calls ?? [];
  const storage = calls.find(({ name }) => name === "object_initialize");
  const inner = calls.filter(({ name }) => isInit(name));
  if ((storage === undefined) === (inner.length === 0)) {
    throw new CommandError(
      `${file}: ${definition.name} must call either object_initialize or one of ${INIT}*; add-api does not understand this tree`,
    );
  }
  const [region] = definition.parameters;
  for (const each of inner) {
    if (each.arguments[0] !== region?.name) {
      throw new CommandError(
        `${file}: ${definition.name} initialises another region than its own; add-api does not understand this tree`,
      );
    }
  }
  const dropped = new Set(storage?.arguments.slice(1) ?? []);
  return {
    counterpart,
    storage,
    inner,
    sharedParameters: definition.parameters.filter(({ name }) => !dropped.has(name)),
  };
}

/** The container, whose shared function is there already. */
function addPlain({ counterpart }: Split): TextEdit[] {
  const { init } = counterpart;
  return [
    { start: init.end, end: init.end, text: `\n\n${newDefinition(counterpart, DO_INIT, init.parameters)}` },
  ];
}

/** Turns the function into the shared one, and adds both callers after it. */
function share(text: string, { counterpart, storage, inner, sharedParameters }: Split): TextEdit[] {
  const { init } = counterpart;
  const name = sharedName(init.name);
  const edits: TextEdit[] = [
    {
      start: init.start,
      end: init.parametersEnd,
      text: head(`static ${init.returns}`, name, sharedParameters),
    },
  ];
  if (storage !== undefined) {
    edits.push({ start: lineStart(text, storage.start), end: lineEnd(text, storage.end), text: "" });
  }
  for (const each of inner) edits.push(renamed(each, text));
  edits.push({
    start: init.end,
    end: init.end,
    text: `\n\n${initDefinition(counterpart, storage, sharedParameters)}\n\n${newDefinition(counterpart, name, sharedParameters)}`,
  });
  return edits;
}

/** A call of an `init` function as one of the shared function; its continuation lines stay aligned. */
function renamed({ name, start, end }: Call, text: string): TextEdit {
  const column = columnAfter(text.slice(lineStart(text, start), start)) + 1;
  const written = sharedName(name) + text.slice(start + name.length, end);
  return {
    start,
    end,
    text: realign(written, column + name.length, column + sharedName(name).length),
  };
}

function initDefinition(
  { init }: Constructor,
  storage: Call | undefined,
  shared: readonly Parameter[],
): string {
  const [region] = init.parameters;
  const initialise =
    storage === undefined
      ? `object_initialize(${region?.name}, sizeof(*${region?.name}), TYPE_MEMORY_REGION)`
      : call(storage.name, storage.arguments, 4);
  const prefix = init.returns === "void" ? "" : "return ";
  const rest = call(sharedName(init.name), names(shared), 4 + prefix.length);
  return `${head(init.returns, init.name, init.parameters)}\n{\n    ${initialise};\n    ${prefix}${rest};\n}`;
}

function newDefinition(
  counterpart: Constructor,
  sharedFunction: string,
  shared: readonly Parameter[],
): string {
  const { returns, name, parameters, type, mayFail } = counterpart;
  const region = shared[0]?.name.replace(/^_+/, "") ?? "mr";
  const allocated =
    type === undefined
      ? [`    ${returns}${region} = ${ALLOC}(TYPE_MEMORY_REGION, name);`, ""]
      : [
          `    ${returns}${region};`,
          "",
          `    ${region} = IOMMU_MEMORY_REGION(${ALLOC}(${type.name}, name));`,
        ];
  const initialise = call(sharedFunction, [region, ...names(shared).slice(1)], mayFail ? 9 : 4);
  return [
    head(returns, name, parameters),
    "{",
    ...allocated,
    ...(mayFail ? [`    if (!${initialise}) {`, "        return NULL;", "    }"] : [`    ${initialise};`]),
    `    return ${region};`,
    "}",
  ].join("\n");
}

const names = (parameters: readonly Parameter[]): string[] => parameters.map(({ name }) => name);

/** What all constructors begin with. Without a name there would be no child property, and nobody to free the region. */
function allocation(): string {
  return [
    "/*",
    " * Storage for a region that its owner frees. The child property that the name",
    " * makes is what keeps the region alive, so a region without a name would leak.",
    " */",
    `static MemoryRegion *${ALLOC}(const char *type, const char *name)`,
    "{",
    "    assert(name);",
    "    return MEMORY_REGION(object_new(type));",
    "}",
  ].join("\n");
}

/** Declarations of shared functions that are called before they are defined. */
function forwardDeclarations(splits: readonly Split[]): TextEdit[] {
  const edits: TextEdit[] = [];
  for (const { counterpart, sharedParameters } of splits) {
    const { init } = counterpart;
    const caller = splits.find(
      (other) =>
        other.counterpart.init.start < init.start && other.inner.some(({ name }) => name === init.name),
    );
    if (caller === undefined) continue;
    const at = caller.counterpart.init.start;
    const text = `${head(`static ${init.returns}`, sharedName(init.name), sharedParameters)};\n\n`;
    edits.push({ start: at, end: at, text });
  }
  return edits;
}
