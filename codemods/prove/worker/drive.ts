/** The lives that a device leads under proof, as a board and a guest would lead it through them. */
import type * as Qdev from "#qdev";
import type * as Qom from "#qom";
import { accessAll } from "./access.ts";
import { CannotPlug, type Companions, createSubject, plugInto } from "./create.ts";
import type { Exports, Linker } from "./linker.ts";
import { valueText } from "./observe.ts";
import { type Rooms, Stage } from "./stage.ts";
import type { ClassFacts, Job, JobResult, Life, LifeTrace, MethodFacts } from "./trace.ts";

/** First address of the windows that a board maps. */
const BASE = 0x1000_0000;
/** Windows larger than this are mapped below everything else. */
const LARGEST_WINDOW = 2 ** 40;
const SECOND = 1_000_000_000;

/** The class under proof and what goes with it. */
interface Subject {
  readonly type: Qom.QomType;
  readonly facts: ClassFacts;
  readonly exercise: ((device: unknown, log: { push(line: string): void }) => unknown) | null;
  readonly companions: Companions;
}

export async function driveClass(job: Job, linker: Linker, rooms: Rooms): Promise<JobResult> {
  const module = linker.load(job.entry);
  const type = module[job.facts.exportName];
  if (!isQomType(type, rooms)) return { traces: [], impossible: "is not a class of QOM objects" };
  const subject: Subject = {
    type,
    facts: job.facts,
    exercise: job.exercises ? exerciseOf(module) : null,
    companions: job.companions.map((id) => linker.load(id)),
  };
  const traces: LifeTrace[] = [];
  for (const life of job.lives) traces.push(await lead(subject, life, rooms, job.seed));
  return { traces, impossible: null };
}

function isQomType(type: unknown, rooms: Rooms): type is Qom.QomType {
  return typeof type === "function" && type.prototype instanceof rooms.qom.QomObject;
}

function exerciseOf({ exercise }: Exports): Subject["exercise"] {
  return typeof exercise === "function" ? (exercise as NonNullable<Subject["exercise"]>) : null; // called as documented
}

async function lead(subject: Subject, life: Life, rooms: Rooms, seed: number): Promise<LifeTrace> {
  const stage = new Stage(rooms, life, seed);
  const actor = new Actor(stage, subject, life);
  if (await actor.create("device")) {
    if (life.kind === "never plugged") {
      await actor.askUnplugged();
      await actor.leave();
    } else if (await actor.plug()) {
      if (life.kind === "plain") await plain(actor, stage, subject, life);
      else if (life.kind === "removed while mapped") await removedWhileMapped(actor, stage, life);
      else if (life.kind === "pair") await pair(actor, stage, subject, life);
      else if (life.kind === "realized again") await realizedAgain(actor);
      else await methods(actor);
    } else await actor.leave();
  }
  return stage.end();
}

async function plain(actor: Actor, stage: Stage, subject: Subject, life: Life): Promise<void> {
  await actor.map();
  await actor.access();
  await actor.readGetters();
  await actor.exercise();
  await actor.setLines();
  await actor.letTimePass();
  await actor.reset();
  await actor.access();
  await actor.unmap();
  await actor.unplug();
  await actor.leave();
  if (subject.type.prototype instanceof stage.rooms.qdev.Machine) return; // there is one in a model
  const next = new Actor(stage, subject, life); // another device of the class takes its place
  if (!(await next.create("next"))) return;
  if (await next.plug()) {
    await next.map();
    await next.access();
    await next.unmap();
    await next.unplug();
  }
  await next.leave();
}

async function removedWhileMapped(actor: Actor, stage: Stage, life: Life): Promise<void> {
  await actor.map();
  await actor.access();
  const endOfRead = life.reader ? stage.model.rcu.read() : () => {};
  await actor.exercise();
  await actor.remove();
  await actor.access();
  await actor.unmap();
  await stage.step("end of the grace period", () => {
    endOfRead();
    stage.model.rcu.drain();
  });
}

async function pair(actor: Actor, stage: Stage, subject: Subject, life: Life): Promise<void> {
  const other = new Actor(stage, subject, life, BASE * 2);
  await actor.map();
  if (await other.create("other")) if (await other.plug()) await other.map();
  await actor.access();
  await actor.exercise();
  await actor.unmap();
  await actor.remove();
  await other.access();
  await other.reset();
  await other.unmap();
  await other.unplug();
  await other.leave();
}

async function realizedAgain(actor: Actor): Promise<void> {
  await actor.map();
  await actor.unmap();
  await actor.unplug();
  if (await actor.plug()) {
    await actor.map();
    await actor.access();
    await actor.reset();
    await actor.unmap();
    await actor.unplug();
  }
  await actor.leave();
}

async function methods(actor: Actor): Promise<void> {
  await actor.map();
  for (let round = 1; round <= 2; round++) await actor.callMethods(round);
  await actor.access();
  await actor.readGetters();
  await actor.reset();
  await actor.unmap();
  await actor.unplug();
  await actor.leave();
}

/** Members that change where a device is, rather than tell something about it. */
const MOVES: ReadonlySet<string> = new Set([
  "plug",
  "plugIntoSystemBus",
  "unplug",
  "unparent",
  "remove",
  "ref",
  "unref",
]);

/** Members without arguments that the class declares again, and the base classes of all devices have. */
function askedOf({ facts }: Subject, { qdev }: Rooms): string[] {
  const methods = facts.methods.filter(({ parameters }) => parameters.length === 0).map(({ name }) => name);
  return [...facts.getters, ...methods].filter(
    (name) => name in qdev.SysBusDevice.prototype && !MOVES.has(name),
  );
}

/** A board with one device, step by step. */
class Actor {
  private readonly stage: Stage;
  private readonly subject: Subject;
  private readonly life: Life;
  private readonly base: number;
  private object: Qom.QomObject | null = null;

  constructor(stage: Stage, subject: Subject, life: Life, base = BASE) {
    this.stage = stage;
    this.subject = subject;
    this.life = life;
    this.base = base;
  }

  /** Creates the device, at /machine/peripheral/`name`, and sets its fields and properties. */
  async create(name: string): Promise<boolean> {
    const { stage, subject, life } = this;
    const created = await stage.step(`create ${name}`, () => {
      this.object = createSubject(stage, subject.type, name, subject.companions);
      stage.device = this.object;
    });
    const { object } = this;
    if (object === null) return false;
    const properties = stage.model.types.classProperties(subject.type);
    for (const property of properties) {
      await stage.step(`set property ${property.name}`, () => this.setProperty(property));
    }
    for (const [field, value] of Object.entries(life.fields)) {
      await stage.step(`set field ${field}`, () => Reflect.set(object, field, value));
    }
    return created;
  }

  private setProperty({ name, type, get, set }: Qom.ClassProperty<never>): void {
    const { stage, life } = this;
    if (set === undefined || this.object === null) return;
    const present: unknown = get(this.object as never); // the class lists only properties of its own objects
    const given = life.variesProperties ? stage.random.below(4) : 0;
    if (typeof present === "boolean") this.object.setProperty(name, given % 2 === 1 ? !present : present);
    else if (typeof present === "number" || typeof present === "bigint")
      this.object.setProperty(name, given === 0 ? present : Number(present) + given - 2);
    else if (typeof present !== "string" || present === "")
      stage.undriven.push(`property ${name} (${type}) has no default and was left unset`);
    else this.object.setProperty(name, present);
  }

  async plug(): Promise<boolean> {
    const { stage, subject } = this;
    const { object } = this;
    if (!(object instanceof stage.rooms.qdev.Device)) return object !== null;
    object.hotplugged = this.life.hotplugged;
    let seatless = "";
    const plugged = await stage.step("plug", () => {
      try {
        plugInto(stage, object, subject.companions);
        this.connectLines(object);
      } catch (error) {
        if (!(error instanceof CannotPlug)) throw error;
        seatless = error.message;
      }
    });
    if (seatless === "") return plugged;
    stage.undriven.push(`cannot be plugged: ${seatless}`);
    return false;
  }

  /** Whether the device can still be driven. */
  private get device(): Qdev.Device | null {
    const { qdev, qom } = this.stage.rooms;
    const { object } = this;
    if (!(object instanceof qdev.Device) || object.state !== qom.ObjectState.Live) return null;
    return object;
  }

  private get windows(): Qdev.SysBusDevice["mmioWindows"] {
    const { device } = this;
    return device instanceof this.stage.rooms.qdev.SysBusDevice ? device.mmioWindows : [];
  }

  async map(): Promise<void> {
    let at = this.base;
    for (const index of this.windows.keys()) {
      await this.stage.step(`map window ${index}`, () => {
        const { device } = this;
        if (!(device instanceof this.stage.rooms.qdev.SysBusDevice)) return;
        const { size } = device.mmioRegion(index);
        if (size > LARGEST_WINDOW) {
          device.mapMmio(index, 0, -1000);
          return;
        }
        device.mapMmio(index, at);
        at += Math.max(0x1_0000, 2 ** Math.ceil(Math.log2(size + 1)));
      });
    }
  }

  async unmap(): Promise<void> {
    for (const index of [...this.windows.keys()].reverse()) {
      await this.stage.step(`unmap window ${index}`, () => {
        const { device } = this;
        if (device instanceof this.stage.rooms.qdev.SysBusDevice) device.unmapMmio(index);
      });
    }
    await this.drain();
  }

  async access(): Promise<void> {
    await this.stage.step("access every mapped region", () => accessAll(this.stage));
  }

  async exercise(): Promise<void> {
    const { exercise } = this.subject;
    if (exercise === null) return;
    const log = { push: (line: string) => this.stage.note(`exercise: ${line}`) };
    await this.stage.step("exercise", () => {
      const result = exercise(this.object, log);
      if (result instanceof Promise) result.catch((error) => this.stage.note(`exercise: ${String(error)}`));
    });
    await this.access();
  }

  async readGetters(): Promise<void> {
    for (const getter of this.subject.facts.getters) {
      await this.stage.step(`read ${getter}`, () => {
        const value: unknown = this.object === null ? null : Reflect.get(this.object, getter);
        this.stage.note(valueText(value, this.stage.observer));
      });
    }
  }

  /** What may happen to a device that is not plugged: its options are read, its inputs set, the framework asks about it. */
  async askUnplugged(): Promise<void> {
    const { stage, subject, object } = this;
    for (const { name } of stage.model.types.classProperties(subject.type)) {
      await stage.step(`read property ${name}`, () => {
        stage.note(valueText(object?.getProperty(name), stage.observer));
      });
    }
    await this.setLines();
    const { device } = this;
    if (device === null) return;
    for (const name of askedOf(subject, stage.rooms)) {
      await stage.step(`ask for ${name}`, () => {
        const member: unknown = Reflect.get(device, name);
        const value: unknown = typeof member === "function" ? Reflect.apply(member, device, []) : member;
        stage.note(valueText(value, stage.observer));
      });
    }
  }

  async callMethods(round: number): Promise<void> {
    for (const method of this.subject.facts.methods) {
      await this.stage.step(round === 1 ? `call ${method.name}` : `call ${method.name} again`, () => {
        if (this.object === null) return;
        const call: unknown = Reflect.get(this.object, method.name);
        if (typeof call !== "function") return;
        const result: unknown = Reflect.apply(call, this.object, this.argumentsFor(method));
        this.stage.note(valueText(result, this.stage.observer));
      });
    }
  }

  private argumentsFor({ parameters }: MethodFacts): unknown[] {
    const { random } = this.stage;
    return parameters.map((kind) => {
      if (kind === "number") return random.below(4);
      return kind === "boolean" ? random.below(2) === 1 : "name";
    });
  }

  /** Connects every output, so that the levels that the device sets are noted. */
  private connectLines(device: Qdev.Device): void {
    const { stage } = this;
    const probe = (name: string) => ({
      set: (level: boolean) => stage.note(`${name} is ${level ? "high" : "low"}`),
    });
    for (let index = 0; index < device.gpioOutputs; index++)
      device.connectGpioOut(index, probe(`output ${index}`));
    if (!(device instanceof stage.rooms.qdev.SysBusDevice)) return;
    for (let index = 0; index < device.irqOutputs; index++)
      device.connectIrq(index, probe(`interrupt ${index}`));
  }

  async setLines(): Promise<void> {
    const { device } = this;
    if (device === null || device.gpioInputs === 0) return;
    await this.stage.step("set the inputs", () => {
      for (let index = 0; index < Math.min(device.gpioInputs, 8); index++) {
        device.gpioIn(index).set(true);
        device.gpioIn(index).set(false);
      }
    });
  }

  async letTimePass(): Promise<void> {
    if (this.stage.model.clock.deadline === Number.POSITIVE_INFINITY) return;
    await this.stage.step("a second passes", () => this.stage.advance(SECOND));
    await this.stage.step("an hour passes", () => this.stage.advance(3600 * SECOND));
  }

  async reset(): Promise<void> {
    await this.stage.step("reset", () => this.device?.reset());
  }

  async unplug(): Promise<void> {
    await this.stage.step("unplug", () => this.device?.unplug());
    await this.drain();
  }

  async remove(): Promise<void> {
    await this.stage.step("remove", () => this.device?.remove());
  }

  /** Takes the object out of the tree, and ends the grace period. */
  async leave(): Promise<void> {
    const { stage, object } = this;
    const live = stage.rooms.qom.ObjectState.Live;
    await stage.step("unparent", () => {
      if (object?.state === live) object.unparent();
    });
    await this.drain();
    if (stage.device === object) stage.device = null;
  }

  private async drain(): Promise<void> {
    if (this.stage.model.rcu.pending === 0) return;
    await this.stage.step("end of the grace period", () => {
      this.stage.model.rcu.drain();
    });
  }
}
