/**
 * Proof by running: creates the devices of sources in both forms on a model in checked mode, leads both through the same
 * lives, and compares what they did.
 *
 *     const prover = new Prover();
 *     const proofs = await prover.prove({ before, after });   // texts by absolute path
 *     await prover.close();
 *
 * A proof says what was run, not what could be: a path that no life takes is not compared.
 */
import { CommandError } from "#host";
import { factsOf, type SourceClass, type SourceFacts } from "./class-facts.ts";
import { type Comparison, compareResults, type Difference } from "./compare.ts";
import { DriverProcess, type Interrupted, type MemoryLimits } from "./driver-process.ts";
import { livesOf, type Thoroughness } from "./lives.ts";
import { type CompiledFiles, Modules } from "./modules.ts";
import type { Job, JobResult, ModuleText, RoomIds } from "./worker/trace.ts";

/** Sources before and after a conversion, by absolute path; both have the same paths. */
export interface Conversion {
  readonly before: ReadonlyMap<string, string>;
  readonly after: ReadonlyMap<string, string>;
}

export interface Proof {
  readonly file: string;
  readonly className: string;
  /** `not driven`: nothing was found out, for the reasons in `notes`. */
  readonly verdict: "equal" | "different" | "not driven";
  readonly differences: readonly Difference[];
  /** What was not compared or not driven, and what both forms do wrong. */
  readonly notes: readonly string[];
  /** Number of equal steps. */
  readonly steps: number;
}

export interface ProverOptions {
  /** Decides values that are written, and choices. Equal seeds, equal proofs. */
  readonly seed?: number;
  /** Milliseconds for one class in one form; default 20 s. */
  readonly timeLimit?: number;
  /** What the process that drives devices may use; default 1 GiB of objects, 3 GiB altogether. */
  readonly memory?: MemoryLimits | undefined;
  /** Default `full`; `brief` is for thousands of classes. */
  readonly thoroughness?: Thoroughness;
}

const DEFAULT_TIME_LIMIT = 20_000;
/** Compiled files of the disk are shared by all proofs of a process. */
const disk: CompiledFiles = new Map();

/** One form of the sources. */
interface Form {
  readonly modules: Modules;
  readonly facts: ReadonlyMap<string, SourceFacts>;
}

export class Prover {
  private readonly seed: number;
  private readonly timeLimit: number;
  private readonly memory: MemoryLimits | undefined;
  private readonly thoroughness: Thoroughness;
  private driver: DriverProcess | null = null;
  private rooms: RoomIds | null = null;
  private shared: ReadonlySet<string> = new Set();

  constructor({
    seed = 1,
    timeLimit = DEFAULT_TIME_LIMIT,
    memory,
    thoroughness = "full",
  }: ProverOptions = {}) {
    this.seed = seed;
    this.timeLimit = timeLimit;
    this.memory = memory;
    this.thoroughness = thoroughness;
  }

  /** Proves every class of the sources that the conversion concerns. @throws CommandError without components. */
  async prove(conversion: Conversion): Promise<Proof[]> {
    const changed = new Set(
      [...conversion.before.keys()].filter(
        (path) => conversion.before.get(path) !== conversion.after.get(path),
      ),
    );
    const [first] = changed;
    if (first === undefined) return [];
    const before = formOf(conversion.before);
    const after = formOf(conversion.after);
    await this.openDriver(before.modules, first);
    const proofs: Proof[] = [];
    const concerned = new Set<string>();
    for (const path of [...conversion.before.keys()].sort()) {
      const closure = before.modules.closure(path, this.shared).map(({ id }) => id);
      if (!closure.some((id) => changed.has(id))) continue;
      const text = closure.map((id) => conversion.before.get(id) ?? "").join("\n");
      const found = await this.proveFile(path, changed.has(path), text, before, after);
      proofs.push(...found);
      if (found.length > 0) for (const id of closure) concerned.add(id);
    }
    const left = [...changed].filter((path) => !concerned.has(path));
    return [...proofs, ...left.flatMap((path) => unrecognised(path, before))];
  }

  async close(): Promise<void> {
    await this.driver?.close();
    this.driver = null;
    this.rooms = null;
  }

  /** @param text of the file and of all given files that it imports */
  private async proveFile(
    path: string,
    isChanged: boolean,
    text: string,
    before: Form,
    after: Form,
  ): Promise<Proof[]> {
    const facts = before.facts.get(path);
    if (facts === undefined) return [];
    const proofs = facts.hidden.map((name) => notDriven(path, name, "only a function creates the class"));
    for (const each of facts.classes.filter((one) => one.extends)) {
      if (each.abstract) {
        if (isChanged && !isExtended(each, before.facts))
          proofs.push(notDriven(path, each.className, "it is abstract, and none of the sources extends it"));
      } else if (each.needsArguments)
        proofs.push(notDriven(path, each.className, "its constructor needs arguments"));
      else proofs.push(...(await this.proveClass(each, facts, text, before, after)));
    }
    return proofs;
  }

  private async proveClass(
    source: SourceClass,
    facts: SourceFacts,
    text: string,
    before: Form,
    after: Form,
  ): Promise<Proof[]> {
    const merged = inherited(source, before.facts);
    const lives = livesOf(merged, merged.fields, text, this.seed, this.thoroughness);
    const alone = merged.root === SYSTEM_BUS_DEVICE && !CREATES_BY_NAME.test(text);
    const jobIn = (form: Form): Job | string => {
      try {
        return {
          ...this.modulesFor(source.path, form, alone),
          entry: source.path,
          facts: merged,
          exercises: facts.exercises === "" || facts.exercises === source.className,
          lives,
          seed: this.seed,
        };
      } catch (error) {
        if (error instanceof CommandError) return error.message;
        throw error;
      }
    };
    const [jobBefore, jobAfter] = [jobIn(before), jobIn(after)];
    const first = await this.run(jobBefore);
    if (first.impossible === "is not a class of QOM objects") return [];
    const comparison = compareResults(first, await this.run(jobAfter));
    if (comparison.differences.length === 0) return [proofOf(source, comparison)];
    const again = compareResults(first, await this.run(jobBefore));
    if (again.differences.length === 0) return [proofOf(source, comparison)];
    return [
      notDriven(source.path, source.className, "two runs of the same form differ: it is not deterministic"),
    ];
  }

  /** The modules of a file and of what registers its types or declares its buses. */
  private modulesFor(path: string, form: Form, alone: boolean): Pick<Job, "modules" | "companions"> {
    const modules = new Map<string, ModuleText>();
    const companions = [...form.facts].filter(([, each]) => !alone && isCompanion(each)).map(([id]) => id);
    for (const entry of [path, ...companions])
      for (const each of form.modules.closure(entry, this.shared)) modules.set(each.id, each);
    return { modules: [...modules.values()], companions };
  }

  private async run(job: Job | string): Promise<JobResult> {
    if (typeof job === "string") return { traces: [], impossible: job };
    const result: JobResult | Interrupted | undefined = await this.driver?.run(job);
    if (result === undefined) return { traces: [], impossible: "the prover is closed" };
    return "interrupted" in result ? { traces: [], impossible: result.interrupted } : result;
  }

  private async openDriver(modules: Modules, from: string): Promise<void> {
    const rooms = {
      qom: room(modules, "qom", from),
      memory: room(modules, "memory", from),
      qdev: room(modules, "qdev", from),
    };
    const { rooms: present } = this;
    if (present?.qom === rooms.qom && present.memory === rooms.memory && present.qdev === rooms.qdev) return;
    await this.close();
    const components = new Map<string, ModuleText>();
    for (const id of Object.values(rooms))
      for (const each of modules.closure(id)) components.set(each.id, each);
    this.shared = new Set(components.keys());
    this.rooms = rooms;
    const { timeLimit, memory } = this;
    this.driver = new DriverProcess([...components.values()], rooms, { timeLimit, memory }, disk);
  }
}

/** The component as the sources import it: inside this package, or where it is installed. */
function room(modules: Modules, name: string, from: string): string {
  const found = modules.resolve(`#${name}`, from) ?? modules.resolve(`regionlab/${name}`, from);
  if (found === undefined)
    throw new CommandError(
      `${from}: regionlab/${name} cannot be resolved from here; install regionlab and run again`,
    );
  return found;
}

function formOf(texts: ReadonlyMap<string, string>): Form {
  const facts = new Map([...texts].map(([path, text]) => [path, factsOf(path, text)]));
  const complete = new Map(
    [...texts].map(([path, text]) => [path, text + (facts.get(path)?.appendix ?? "")]),
  );
  return { modules: new Modules(complete, disk), facts };
}

function isCompanion({ registersTypes, classes }: SourceFacts): boolean {
  return registersTypes || classes.some(({ base }) => base?.endsWith("Bus") === true);
}

function isExtended({ className }: SourceClass, facts: ReadonlyMap<string, SourceFacts>): boolean {
  return [...facts.values()].some(({ classes }) => classes.some(({ base }) => base === className));
}

/** Devices of this class need no bus of their sources, and no other type either unless they look one up. */
const SYSTEM_BUS_DEVICE = "SysBusDevice";
const CREATES_BY_NAME = /\b(?:lookup|createPeripheral|createMachine)\(/;

/** A source whose classes extend each other in a circle does not run, but must not hold up the prover either. */
const LONGEST_CHAIN = 32;

/** The class of that name in the same file or, imported, in another one. */
function baseOf({ path, base }: SourceClass, all: readonly SourceClass[]): SourceClass | undefined {
  const named = all.filter(({ className }) => className === base);
  return named.find((each) => each.path === path) ?? named[0];
}

/** The facts of a class with those of the sources' classes that it extends. */
function inherited(
  source: SourceClass,
  facts: ReadonlyMap<string, SourceFacts>,
): SourceClass & { readonly root: string | null } {
  const all = [...facts.values()].flatMap(({ classes }) => classes);
  const chain = [source];
  for (let next: SourceClass | undefined = source; next !== undefined && chain.length < LONGEST_CHAIN; ) {
    next = baseOf(next, all);
    if (next !== undefined) chain.push(next);
  }
  const byName = new Map(chain.flatMap(({ methods }) => methods).map((method) => [method.name, method]));
  return {
    ...source,
    root: chain.at(-1)?.base ?? null,
    getters: [...new Set(chain.flatMap(({ getters }) => getters))],
    methods: [...byName.values()],
    fields: Object.assign({}, ...[...chain].reverse().map(({ fields }) => fields)),
  };
}

/** A device that was converted and not recognised must not pass for one that was proved. */
function unrecognised(path: string, { facts }: Form): Proof[] {
  const [subject] = facts.get(path)?.classes ?? [];
  const why = "no class of the file is a QOM class where it was run";
  return subject === undefined ? [] : [notDriven(path, subject.className, why)];
}

function notDriven(file: string, className: string, reason: string): Proof {
  return { file, className, verdict: "not driven", differences: [], notes: [reason], steps: 0 };
}

function proofOf({ path, className }: SourceClass, { differences, notes, steps, driven }: Comparison): Proof {
  const verdict = differences.length > 0 ? "different" : driven ? "equal" : "not driven";
  return { file: path, className, verdict, differences, notes, steps };
}
