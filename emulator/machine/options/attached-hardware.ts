import { statSync } from "node:fs";
import {
  type Disk,
  FileDisk,
  FORMAT_BYTES,
  imageFormat,
  OverlayDisk,
  type StdioChar,
  type TerminalKeys,
} from "#backends";
import { CommandError, createSha256, type OutputPlace, tableOf } from "#host";
import { Bus, type Chardev, type Device, type DeviceModel, type Machine, SysBusDevice } from "#qdev";
import { QomAbort, QomError } from "#qom";
import { readInput } from "../images.ts";
import { type BackendKind, CHARDEV_KINDS, type HostResource, NETDEV_KINDS } from "./backend-kinds.ts";
import type { BackendOption, DeviceOption, DriveOption, HardwareOptions } from "./hardware-options.ts";
import { counterpart, pluggableDevices } from "./pluggable.ts";

const FLASH = "cfi.pflash01";
const NET = "virtio-net-device";
/** Default size of a flash bank, which those of the board have. */
const FLASH_ARRAY_BYTES = 32 * 2 ** 20;
/** Memory reserved for a bank: its size, and some slack. */
const FLASH_BYTES = 33 * 2 ** 20;

/**
 * What a command line adds to a machine. Call `prepare` before the board is created, `attach` after it, and `close` at
 * the end, or when one of them has thrown.
 */
export class AttachedHardware {
  private readonly options: HardwareOptions;
  private readonly resources: HostResource[] = [];
  private readonly closed: HostResource[] = [];
  private readonly firmware: [name: string, content: Uint8Array][] = [];
  private serialEnd: Chardev | null = null;

  constructor(options: HardwareOptions) {
    this.options = options;
  }

  /** Guest memory that the added devices need: flash banks do. */
  get memoryBytes(): number {
    return this.options.devices.filter(({ driver }) => driver === FLASH).length * FLASH_BYTES;
  }

  /** Opens drives and other backends, and sets defaults. @throws CommandError when one of these fails. */
  prepare(model: DeviceModel): void {
    const { globals, drives, chardevs, netdevs } = this.options;
    for (const { text, driver, property, value } of globals) {
      const types = model.types.names().map((name) => model.types.lookup(name));
      const mine = types.filter((type) => model.types.isA(type, driver));
      if (mine.length === 0)
        throw new CommandError(`${text}: there is no driver ${driver}; tree qtree lists them`);
      const known = mine.flatMap((type) => model.types.classProperties(type).map(({ name }) => name));
      if (!known.includes(property))
        throw new CommandError(
          `${text}: ${driver} has no property ${property}; give one of ${known.join(", ")}`,
        );
      model.globals.push({ driver, property, value });
    }
    for (const drive of drives) {
      const disk = openDisk(drive);
      this.resources.push(disk);
      if (drive.interface === "pflash" && disk.bytes !== FLASH_ARRAY_BYTES)
        throw new CommandError(
          `${drive.text}: ${drive.file} has ${disk.bytes} bytes, not ${FLASH_ARRAY_BYTES} as a flash bank has; make it that size, as with truncate -s 32M`,
        );
      model.drives.set(drive.id, disk);
    }
    requireOwnImages(drives);
    for (const option of chardevs) this.resources.push(makeBackend(option, "-chardev", CHARDEV_KINDS, model));
    for (const option of netdevs) this.resources.push(makeBackend(option, "-netdev", NETDEV_KINDS, model));
    this.serialEnd = this.prepareSerial(model);
  }

  /** Claims the host's end of the serial port before any device can. */
  private prepareSerial(model: DeviceModel): Chardev | null {
    const { serial, chardevs } = this.options;
    if (serial === undefined || serial === null) return null;
    const { text } = serial;
    if (serial.kind === "stdio") {
      const other = chardevs.find(({ kind }) => kind === "stdio");
      if (other === undefined) return null;
      throw new CommandError(
        `${text}: ${other.text} already uses the terminal; give one of them another end`,
      );
    }
    const { backend, id } = serial;
    if (backend !== null) {
      const taken = chardevs.find((each) => each.id === id);
      if (taken !== undefined)
        throw new CommandError(`${taken.text}: ${text} creates a backend with that id; give another`);
      this.resources.push(makeBackend(backend, "-serial", CHARDEV_KINDS, model));
    } else if (!model.chardevs.has(id)) {
      throw new CommandError(`${text}: there is no such -chardev; give -chardev KIND,id=${id}`);
    }
    return model.chardevs.take(id);
  }

  /** Digest of the names and contents of the `-fw_cfg` files; empty if there are none. */
  get firmwareDigest(): string {
    if (this.firmware.length === 0) return "";
    const hash = createSha256();
    for (const [name, bytes] of this.firmware) hash.update(`${name}\0${bytes.length}\0`).update(bytes);
    return hash.digest("hex");
  }

  /** What guests see of the networks: all but where they lead on the host. Empty if there are none. */
  get networks(): string {
    const seen = this.options.netdevs.map(({ kind, id, properties }) => {
      const own = properties.filter(([name]) => name !== "hostfwd" && name !== "guestfwd");
      return [kind, id, ...own.map((each) => each.join("=")).sort()].join(",");
    });
    return seen.sort().join("\n");
  }

  /** Ids of the drives that are flash banks, by bank number. */
  get flashDrives(): readonly (string | undefined)[] {
    const banks: (string | undefined)[] = [];
    for (const { interface: kind, unit, id } of this.options.drives) if (kind === "pflash") banks[unit] = id;
    return banks;
  }

  /** Adds files and devices in the order of the command line; the devices of drives with if=virtio come last. */
  attach(model: DeviceModel, board: Machine): void {
    for (const { text, name, content } of this.options.firmwareFiles) {
      const bytes =
        "file" in content ? readInput(`${text}:`, content.file) : new TextEncoder().encode(content.string);
      explained(text, () => board.addFirmwareFile(name, bytes));
      this.firmware.push([name, bytes]);
    }
    for (const device of this.options.devices) {
      this.checkDrive(device);
      plugDevice(model, device);
    }
    for (const { text, id, interface: kind } of this.options.drives) {
      if (kind !== "virtio") continue;
      const properties = new Map([["drive", id]]);
      plugDevice(model, { text, driver: "virtio-blk-device", id: null, bus: null, properties });
    }
  }

  /** A device can use a drive only if its interface is none: any other already has a device of its own. */
  private checkDrive({ text, properties }: DeviceOption): void {
    const name = properties.get("drive");
    const drive = this.options.drives.find(({ id }) => id === name);
    if (drive === undefined || drive.interface === "none") return;
    throw new CommandError(
      `${text}: drive ${name} already has a device, since its interface is ${drive.interface}; give ${drive.text},if=none`,
    );
  }

  /** Warnings about what is accepted, but is of no use: backends that no device uses, names that firmware may not expect. */
  warnings(model: DeviceModel): string[] {
    const { drives, devices, globals, netdevs, chardevs, firmwareFiles } = this.options;
    const idle = (
      options: readonly { readonly id: string; readonly text: string }[],
      names: readonly string[],
    ) =>
      options.filter(({ id }) => names.includes(id)).map(({ text }) => `warning: ${text}: no device uses it`);
    return [
      ...idle(
        drives.filter((drive) => drive.interface === "none"),
        model.unusedDrives,
      ),
      ...idle(netdevs, model.netdevs.unused),
      ...idle(chardevs, model.chardevs.unused),
      ...devices
        .filter(({ driver, properties }) => driver === NET && !properties.has("netdev"))
        .filter(({ driver }) => !globals.some((each) => each.driver === driver && each.property === "netdev"))
        .map(({ text }) => `warning: ${text}: the card has no network; give netdev=ID of a -netdev`),
      ...firmwareFiles
        .filter(({ name }) => !name.startsWith("opt/"))
        .map(({ text }) => `warning: ${text}: names of your own files should begin with opt/`),
    ];
  }

  /** What the guest's output is written to. */
  get outputs(): OutputPlace[] {
    return this.resources.flatMap(({ output }) => output ?? []);
  }

  /**
   * Opens all host resources, as far as nothing is lost thereby; settles once they can be used.
   * @throws CommandError when one cannot
   */
  async open(): Promise<void> {
    await Promise.all(this.resources.map((resource) => resource.open?.()));
  }

  /** Labels of what is being opened and waits for a program at its other end. */
  get waiting(): string[] {
    return this.resources.flatMap(({ waits, label = "" }) => (waits?.() ? [label] : []));
  }

  /** Empties the files that the guest's output is written to. @throws CommandError when one cannot be opened */
  start(): void {
    for (const resource of this.resources) resource.start?.();
  }

  /** Whether events arrive in host time: guest time then waits for them. */
  get reachesHost(): boolean {
    return this.resources.some((resource) => resource.reachesHost);
  }

  /** What to await before the guest continues; null: nothing. @throws CommandError when a resource accepts no more */
  congestion(): Promise<void> | null {
    for (const resource of this.resources) {
      const wait = resource.congestion?.() ?? null;
      if (wait !== null) return wait;
    }
    return null;
  }

  /** The host's end of the serial port; null: the caller that runs the machine provides it. */
  get serial(): Chardev | null {
    return this.serialEnd;
  }

  /**
   * What keys mean in the terminal: as in QEMU, Ctrl-A introduces commands where the monitor shares it, and Ctrl-C ends the
   * emulator where no guest line shares it with the monitor.
   * @param monitor whether there is to be one where the terminal has no guest line
   */
  terminalKeys(monitor: boolean): TerminalKeys {
    const { serial } = this.options;
    if (this.stdio !== null) return { escapes: false, signals: this.stdio.signals };
    if (serial === undefined || serial === null) return { escapes: true, signals: false };
    if (serial.kind === "stdio") return { escapes: serial.escapes, signals: !serial.escapes };
    return { escapes: monitor, signals: true };
  }

  /** The stdio backend from the command line, which the terminal is connected to; null: there is none. */
  get stdio(): StdioChar | null {
    return this.resources.find((resource) => resource.stdio !== undefined)?.stdio ?? null;
  }

  close(): void {
    for (const resource of this.resources.splice(0)) {
      resource.close();
      this.closed.push(resource);
    }
  }

  /** After `close`: what settles once the host has taken what the guest sent, and rejects with a CommandError if it has not. */
  ended(): { readonly label: string; readonly ended: Promise<void> }[] {
    return this.closed.flatMap(({ label = "", ended }) =>
      ended === undefined ? [] : [{ label, ended: ended() }],
    );
  }
}

function openDisk({ text, file, readOnly, snapshot, isRaw }: DriveOption): Disk {
  try {
    const disk = new FileDisk(file, readOnly || snapshot);
    if (!isRaw) requireRaw(disk, `${text}: ${file}`);
    return snapshot && !readOnly ? new OverlayDisk(disk) : disk;
  } catch (error) {
    if (error instanceof CommandError) throw error;
    const { code, message } = error as NodeJS.ErrnoException; // like all errors of node:fs
    throw new CommandError(`${text}: ${file}: ${REASONS.get(code ?? "") ?? code ?? message}`);
  }
}

/** @throws CommandError for an image in a format of which the guest would see the container, and write into it */
function requireRaw(disk: FileDisk, what: string): void {
  const head = new Uint8Array(FORMAT_BYTES);
  disk.read(0, head);
  const format = imageFormat(head);
  if (format === null) return;
  disk.close();
  throw new CommandError(
    `${what}: is a ${format} image, and only raw ones are supported; convert it with qemu-img convert -O raw, or give format=raw if the guest is to see the container itself`,
  );
}

/** As QEMU's image locks do: only drives that none of them writes may have one file. Links to it are that file. */
function requireOwnImages(drives: readonly DriveOption[]): void {
  const owners = new Map<string, DriveOption>();
  const isWritten = ({ readOnly, snapshot }: DriveOption) => !readOnly && !snapshot;
  for (const drive of drives) {
    const { dev, ino } = statSync(drive.file, { bigint: true });
    const place = `${dev}:${ino}`;
    const owner = owners.get(place);
    if (owner !== undefined && (isWritten(owner) || isWritten(drive)))
      throw new CommandError(
        `${drive.text}: ${owner.text} already uses that file; give both readonly=on or snapshot=on, or each a file of its own`,
      );
    owners.set(place, drive);
  }
}

const REASONS = tableOf<string>({
  ENOENT: "no such file; make one with truncate -s SIZE, or give another",
  EACCES: "no permission to read and write it; give readonly=on, or another",
  EROFS: "its file system is read only; give readonly=on, or snapshot=on",
  EISDIR: "is a folder; give a file",
});

function makeBackend(
  option: BackendOption,
  name: string,
  kinds: ReadonlyMap<string, BackendKind>,
  model: DeviceModel,
): HostResource {
  const make = kinds.get(option.kind);
  if (make !== undefined) return make(option, model);
  const known = kinds.size === 0 ? "there is none" : `give ${[...kinds.keys()].join(" or ")}`;
  throw new CommandError(`${option.text}: unknown kind of ${name}; ${known}`);
}

/** Creates, configures and realizes a device that is present from the start. */
function plugDevice(model: DeviceModel, option: DeviceOption): void {
  const { text, driver } = option;
  if (isPartOfBoard(model, driver))
    throw new CommandError(
      `${text}: ${driver} is part of the board and cannot be added; -device help lists the devices that can`,
    );
  if (!model.types.names().includes(driver)) throw unknownDevice(model, option);
  explained(option.text, () => {
    const device = model.createPeripheral(option.driver, option.id, false);
    const known = model.types.classProperties(device.qomType).map(({ name }) => name);
    for (const [name, value] of option.properties) {
      if (!known.includes(name))
        throw new CommandError(
          `${text}: ${driver} has no property ${name}; ${INSTEAD_OF_PROPERTY.get(name) ?? (known.length === 0 ? "leave it out" : `give one of ${known.sort().join(", ")}`)}`,
        );
      device.setProperty(name, value);
    }
    device.plug(option.bus === null ? busFor(model, device) : busNamed(model, option.bus));
  });
}

/** What to do about properties of QEMU's devices that ask for what is done otherwise here. */
const INSTEAD_OF_PROPERTY = tableOf<string>({
  bootindex: "the firmware decides what it boots from; leave it out",
  rng: "the board supplies its numbers, without a backend; leave it out",
});

function unknownDevice(model: DeviceModel, { text, driver }: DeviceOption): CommandError {
  const names = pluggableDevices(model).map(({ name }) => name);
  const meant = counterpart(driver, names);
  const advice =
    driver === "loader"
      ? "load files with -kernel, -initrd or -bios"
      : `give ${meant ?? `one of ${names.sort().join(", ")}, or leave it out`}`;
  return new CommandError(`${text}: there is no device ${driver}; ${advice}`);
}

function isPartOfBoard({ types }: DeviceModel, driver: string): boolean {
  return types.names().includes(driver) && types.isA(types.lookup(driver), SysBusDevice.typeName);
}

function explained(text: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    if (error instanceof QomError || error instanceof QomAbort)
      throw new CommandError(`${text}: ${error.message}`);
    throw error;
  }
}

/** The first bus with room for a device of this kind, searched as in QEMU: the newest devices first. */
function busFor(model: DeviceModel, device: Device): Bus | null {
  const { busType } = device;
  if (busType === null) return null;
  let full = false;
  for (const bus of busesFrom(model.systemBus)) {
    if (!model.types.isA(bus.qomType, busType)) continue;
    if (!bus.full) return bus;
    full = true;
  }
  throw new QomError(
    `${full ? "every" : "there is no"} ${busType} for it${full ? " is full; leave out a device" : ""}`,
  );
}

function busNamed(model: DeviceModel, name: string): Bus {
  const names: string[] = [];
  for (const bus of busesFrom(model.systemBus)) {
    if (bus.name === name) return bus;
    names.unshift(bus.name);
  }
  throw new QomError(`there is no bus ${name}; give one of ${names.join(", ")}`);
}

function* busesFrom(bus: Bus): IterableIterator<Bus> {
  yield bus;
  for (const device of [...bus.devices].reverse())
    for (const [, child] of device.children()) if (child instanceof Bus) yield* busesFrom(child);
}
