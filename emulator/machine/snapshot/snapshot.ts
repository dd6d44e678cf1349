/** Snapshots: all state of a machine that its guest can observe, saved and restored between two instructions. */
import { type SavedHart, slotsMismatch } from "#cpu/riscv";
import { CommandError, createSha256 } from "#host";
import {
  type Device,
  type DeviceModel,
  fieldsNotRepeated,
  isFields,
  loadFields,
  type Restore,
  type SavedFields,
  type SavedValue,
  saveFields,
  type VmState,
  type VmStateFields,
} from "#qdev";
import { QomError } from "#qom";
import type { Emulation } from "../emulation.ts";
import { readInput } from "../images.ts";
import { overlaysOf, planDrives, saveDrives } from "./drives.ts";
import { type ByteSink, SnapshotFile, writeSnapshotFile } from "./file.ts";
import { backendsOf, busOf, devicesOf, memoriesOf, type StatefulPart } from "./parts.ts";

const CLOCK: VmStateFields = { wallAtStart: "uint64" };
const TIMERS: VmStateFields = { comparators: "timers" };

/** @throws CommandError that names a device whose state cannot be saved, if the machine has one. */
export function checkSavable({ model }: Emulation): void {
  for (const [name, device] of devicesOf(model)) {
    if (device.vmState === null)
      throw new CommandError(
        `--snapshot-out: the device ${name} cannot be saved, its type declares no state; leave out the option or the device`,
      );
    const lost = fieldsNotRepeated(device.constructor as typeof Device); // as of every device
    if (lost.length > 0)
      throw new CommandError(
        `--snapshot-out: the device ${name} cannot be saved, its type's state replaces that of its base and lacks ${lost.join(", ")}; repeat them in its fields, as ...Base.vmState.fields`,
      );
  }
}

/** Saves the machine, which must not be running. @throws CommandError like `checkSavable`. */
export function saveSnapshot(emulation: Emulation, sink: ByteSink): void {
  checkSavable(emulation);
  const { model, time, console, trace, harts, shutdown } = emulation;
  const state: SavedFields = {
    machine: identify(emulation),
    time: time.save(),
    clock: saveFields(model.clock, CLOCK),
    timers: saveFields(emulation, TIMERS),
    turns: emulation.processors.save(),
    request: shutdown === null ? null : { kind: shutdown.kind, code: shutdown.code },
    console: console.save(),
    trace: trace?.save() ?? null,
    harts: Object.fromEntries(
      harts.map((hart): [string, SavedValue] => [`${hart.hartId}`, { ...hart.save() }]),
    ),
    devices: saveParts(devicesOf(model)),
    settings: settingsOf(model),
    backends: saveParts(backendsOf(model)),
    drives: saveDrives(model),
  };
  writeSnapshotFile(sink, state, new Map([...memoriesOf(model), ...overlaysOf(model)]));
}

/** The properties of every device that `-device` and `-global` can set, and the bus that it is plugged into. */
function settingsOf(model: DeviceModel): SavedFields {
  const settings: Record<string, SavedValue> = {};
  for (const [name, device] of devicesOf(model)) {
    const own = model.types.classProperties(device.qomType).filter(({ set }) => set !== undefined);
    const bus = busOf(device);
    settings[name] = {
      ...Object.fromEntries(
        own.map((property): [string, SavedValue] => [
          property.name,
          String(device.getProperty(property.name)),
        ]),
      ),
      ...(bus !== null && { bus }),
    };
  }
  return settings;
}

/** Describes the first property that differs from the saved one. The devices are already known to be the same. */
function settingMismatch(model: DeviceModel, saved: SavedValue | undefined): string | undefined {
  for (const [name, own] of Object.entries(settingsOf(model))) {
    const theirs = isFields(saved) ? saved[name] : undefined;
    for (const [property, value] of Object.entries(own ?? {})) {
      const there = isFields(theirs) ? theirs[property] : undefined;
      if (there !== value) return `${name} was made with ${property}=${there}, here it is ${value}`;
    }
  }
  return undefined;
}

/** @param parts all of which declare state. */
function saveParts(parts: ReadonlyMap<string, StatefulPart>): SavedFields {
  const saved: Record<string, SavedValue> = {};
  for (const [name, part] of [...parts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { vmState } = part;
    if (vmState === null) continue;
    saved[name] = {
      name: vmState.name,
      version: vmState.version,
      fields: saveFields(part, vmState.fields),
    };
  }
  return saved;
}

/**
 * Restores a saved machine into one that has just been created. Everything is checked first: if the snapshot is
 * refused, the machine stays unchanged. Only a type's own `postLoad` can fail later: the machine is destroyed then.
 * @throws CommandError with the reason why the snapshot is refused; `where` names option and file.
 */
export function restoreSnapshot(emulation: Emulation, content: Uint8Array, where: string): void {
  const file = new SnapshotFile(content, where);
  const { model } = emulation;
  const refusal = (reason: string): CommandError =>
    new CommandError(`${where}: ${reason}; start the machine with the options of the run that made it`);
  const mismatch = machineMismatch(identify(emulation), file.state.machine);
  if (mismatch !== undefined) throw refusal(mismatch);
  let steps: Restore[];
  let fill: () => void;
  try {
    const drives = planDrives(model, file);
    const memories = new Map([...memoriesOf(model), ...drives.memories]);
    const other = file.memoryMismatch(memories);
    if (other !== undefined) throw refusal(other);
    fill = file.readMemories(memories);
    steps = [...planRestore(emulation, file.state), ...drives.steps];
  } catch (error) {
    throw error instanceof QomError ? refusal(error.message) : error;
  }
  try {
    fill();
    for (const step of steps) step();
  } catch (error) {
    emulation.destroy();
    throw new CommandError(
      `${where}: ${reasonOf(error)}; the machine, which was restored in part, is destroyed`,
      {
        cause: error,
      },
    );
  }
}

/** Restores what the file holds that `--snapshot-in` names, see {@link restoreSnapshot}. @throws CommandError */
export function restoreSnapshotFile(emulation: Emulation, path: string): void {
  restoreSnapshot(emulation, readInput("--snapshot-in", path), `--snapshot-in ${path}`);
}

function planRestore(emulation: Emulation, state: SavedFields): Restore[] {
  const { model, time, console, trace } = emulation;
  const { clock, request, console: savedConsole = null, trace: savedTrace = null } = state;
  const devices = planParts("device", devicesOf(model), state.devices);
  const otherwise = settingMismatch(model, state.settings);
  if (otherwise !== undefined) throw new QomError(otherwise);
  const backends = planParts("backend", backendsOf(model), state.backends ?? {});
  const steps = [
    ...time.load(state.time ?? null),
    ...loadFields(model.clock, CLOCK, clock ?? null, "clock"),
    ...console.load(savedConsole),
    ...devices.steps,
    ...backends.steps,
    ...planHarts(emulation, state.harts ?? null),
    ...loadFields(emulation, TIMERS, state.timers ?? null, "timers"),
    ...emulation.processors.load(state.turns ?? null),
  ];
  if (trace !== null) {
    if (savedTrace === null) throw new QomError("the run was not traced, so its trace cannot continue");
    steps.push(...trace.load(savedTrace));
  }
  if (request !== undefined && request !== null) steps.push(planRequest(emulation, request));
  return [...steps, ...devices.afterwards, ...backends.afterwards];
}

/** How parts are restored: first their fields, then derived state, once all fields of the machine are in place. */
interface PartsPlan {
  readonly steps: readonly Restore[];
  readonly afterwards: readonly Restore[];
}

/** @param kind what the parts are called in messages. */
function planParts(
  kind: string,
  parts: ReadonlyMap<string, StatefulPart>,
  saved: SavedValue | undefined,
): PartsPlan {
  if (!isFields(saved)) throw new QomError(`no ${kind}s are in it`);
  const unknown = Object.keys(saved).find((name) => !parts.has(name));
  if (unknown !== undefined) throw new QomError(`has a ${kind} ${unknown} that this machine lacks`);
  const steps: Restore[] = [];
  const afterwards: Restore[] = [];
  for (const [name, part] of parts) {
    const section = saved[name];
    const { vmState } = part;
    if (vmState === null)
      throw new QomError(`the ${kind} ${name} cannot be restored, its type declares no state`);
    if (!isFields(section)) throw new QomError(`lacks the ${kind} ${name}`);
    if (section.name !== vmState.name || section.version !== vmState.version) {
      throw new QomError(
        `${name} is ${section.name} version ${section.version}, here it is ${vmState.name} version ${vmState.version}`,
      );
    }
    steps.push(...loadFields(part, vmState.fields, section.fields ?? null, name));
    afterwards.push(() => finishLoading(`${kind} ${name}`, vmState, part));
  }
  return { steps, afterwards };
}

function finishLoading(name: string, { postLoad }: VmState, part: object): void {
  let result: unknown;
  try {
    result = postLoad?.(part);
  } catch (error) {
    throw new QomError(`postLoad of ${name} failed: ${reasonOf(error)}`, { cause: error });
  }
  if (result instanceof Promise) {
    result.catch(() => {}); // what matters is that it cannot be waited for
    throw new QomError(`postLoad of ${name} returned a promise, but the machine goes on at once`);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function planHarts({ harts }: Emulation, saved: SavedValue): Restore[] {
  if (!isFields(saved)) throw new QomError("no harts are in it");
  return harts.map((hart) => {
    const section = saved[hart.hartId];
    if (!isFields(section)) throw new QomError(`lacks hart ${hart.hartId}`);
    const { slots, retired, trapped, sleeping } = section;
    if (!isFields(slots) || !isCount(retired) || !isCount(trapped) || typeof sleeping !== "boolean")
      throw new QomError(`hart ${hart.hartId} is incomplete`);
    const mismatch = slotsMismatch(slots);
    if (mismatch !== undefined) throw new QomError(`hart ${hart.hartId} ${mismatch}`);
    const checked = { slots: slots as SavedHart["slots"], retired, trapped, sleeping }; // as just checked
    return () => hart.load(checked);
  });
}

function planRequest(emulation: Emulation, request: SavedValue): Restore {
  if (isFields(request)) {
    const { kind, code } = request;
    if ((kind === "poweroff" || kind === "reset" || kind === "fail") && isCount(code))
      return () => emulation.model.requestShutdown({ kind, code });
  }
  throw new QomError("the guest's request is unknown");
}

function isCount(value: SavedValue | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** What must be the same in the resumed run: the board, and the files that a reset loads again. */
function identify({ board, files, ramBytes, attached }: Emulation): SavedFields {
  const { bios, kernel, initrd, append } = files;
  const hash = (option: string, path: string | undefined): string =>
    path === undefined ? "" : createSha256().update(readInput(option, path)).digest("hex");
  return {
    "-M": board.qomType.typeName,
    "-m": ramBytes,
    "-smp": board.hartCount,
    "--bios": hash("--bios", bios),
    "--kernel": hash("--kernel", kernel),
    "--initrd": hash("--initrd", initrd),
    "--append": append ?? "",
    "-fw_cfg": attached.firmwareDigest,
    ...(attached.networks === "" ? {} : { "-netdev": attached.networks }),
  };
}

function machineMismatch(ours: SavedFields, saved: SavedValue | undefined): string | undefined {
  for (const [option, value] of Object.entries(ours)) {
    const theirs = isFields(saved) ? saved[option] : undefined;
    if (theirs === value) continue;
    if (option === "-m") return `made with -m ${Number(theirs) / 2 ** 20}M`;
    return option === "-smp" ? `made with -smp ${theirs}` : `made with another ${option}`;
  }
  return undefined;
}
