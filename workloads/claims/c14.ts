import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Emulation, loadHardware, parseHardwareOptions, REGION_FORMS, type RegionForm } from "#machine";
import { Device, stringProperty } from "#qdev";
import { QomAbort, type QomObject, type QomType } from "#qom";
import { type Claim, has, isFine, type Storage } from "./claim.ts";
import type { Stage } from "./stage.ts";

/** Types of parts for the slots of virt, as `run -device` takes them. */
const DRIVERS = [
  "virtio-blk-device",
  "virtio-net-device",
  "virtio-rng-device",
  "virtio-serial-device",
] as const;

export const c14: Claim = {
  id: "C14",
  claim:
    "Pointers fit boards that the user wires, and parts whose type is chosen at run time; embedding one needs to know the largest size in advance.",
  by: ["Maydell", "Cave-Ayland"],
  context:
    "If a network card may be one of several types, its size is not known when the board is compiled, so it cannot be a field of the board.",
  scenarios: [
    {
      name: "board whose network card and disk have types that are options",
      description:
        "A board takes the types of its network card and its disk as options; it is created with each of four pairs, builds what the options say, and is removed.",
      rule: "Storage inside an object is fixed by its type when it is allocated [1.2]: a part whose type comes later has no place there. As a child that the object model allocates it has [1.3, 2.1]. Allocated by hand and initialised in place, it is never freed [3.5c].",
      policies: ["owner"],
      predicted: { embedded: "abort", owned: "clean", heap: "leak" },
      agrees: ({ storage }, seen) =>
        storage === "embedded" ? has(seen, "abort") : storage === "owned" ? isFine(seen) : null,
      run: (stage) => {
        stage.model.types.register(...CARDS, ...DISKS);
        for (const nic of CARDS) for (const disk of DISKS) buildAndRemove(stage, Board, nic, disk);
        return undefined;
      },
    },
    {
      name: "board with room for the largest card and disk that it knows",
      description:
        "The same, on a board whose state has room for the larger of both cards and of both disks (a union, in C); whatever the options say is initialised there.",
      rule: "Initialisation in place asks only for enough room [1.2]; the room goes with the board [3.4]. What the smaller part leaves is never used.",
      storages: ["embedded"],
      policies: ["owner"],
      predicted: { embedded: "clean", owned: "clean", heap: "clean" },
      figures: () => ({ "bytes unused with the smaller parts": 0x4000 - 0x400 + 0x3000 - 0x300 }),
      agrees: (_, seen) => isFine(seen),
      run: (stage) => {
        stage.model.types.register(...CARDS, ...DISKS);
        let unused = 0;
        for (const nic of CARDS)
          for (const disk of DISKS)
            unused = Math.max(unused, buildAndRemove(stage, BoardWithRoom, nic, disk));
        return { "bytes unused with the smaller parts": unused };
      },
    },
    {
      name: "the same board, and a card of a type that is registered later",
      description:
        "A larger card comes from a module, after the board with room for known types was compiled.",
      rule: "Initialisation in place of an object that is larger than its storage is an assertion [1.2].",
      storages: ["embedded"],
      policies: ["owner"],
      predicted: { embedded: "abort", owned: "clean", heap: "clean" },
      agrees: (_, seen) => has(seen, "abort"),
      run: (stage) => {
        stage.model.types.register(...CARDS, ...DISKS, LaterCard);
        buildAndRemove(stage, BoardWithRoom, LaterCard, SmallDisk);
        return undefined;
      },
    },
  ],
  facts: [
    ...REGION_FORMS.map((form) => ({
      name: `types that \`run -device\` puts into one slot of virt, ${form} regions: on the bus, and nothing left at the end`,
      rule: "The board's own parts are fields or children of known types; what comes by option is a child that the object model allocates [1.3, 2.1], in both trees.",
      predicted: `${DRIVERS.length} of ${DRIVERS.length}`,
      observe: async () => `${(await plugged(form)).length} of ${DRIVERS.length}`,
      agrees: (observed: string | number) => observed === `${DRIVERS.length} of ${DRIVERS.length}`,
    })),
    {
      name: "whether one size fits all of them",
      rule: "Their structures have 624 to 936 bytes, without what is embedded in them: a slot with room for any of them is half empty with the smallest.",
      predicted: "no",
      observe: async () =>
        new Set((await plugged("embedded")).map(({ bytes }) => bytes)).size === 1 ? "yes" : "no",
      agrees: (observed) => observed === "no",
    },
  ],
  notes: [
    "It is about a device as a part of a board; the region of a device has one size, whatever the device. So it speaks for pointers to parts, and of regions only as parts of parts.",
    "The board with room, the later type and virt's slots were added when the first scenario had been run; before, a note said what they show.",
  ],
};

class SmallCard extends Device {
  static override readonly typeName = "small-card";
  static override readonly instanceSize: number = 0x400;
}

class LargeCard extends Device {
  static override readonly typeName = "large-card";
  static override readonly instanceSize: number = 0x4000;
}

class SmallDisk extends Device {
  static override readonly typeName = "small-disk";
  static override readonly instanceSize: number = 0x300;
}

class LargeDisk extends Device {
  static override readonly typeName = "large-disk";
  static override readonly instanceSize: number = 0x3000;
}

/** Not known to any board. */
class LaterCard extends Device {
  static override readonly typeName = "later-card";
  static override readonly instanceSize: number = 0x5000;
}

const CARDS = [SmallCard, LargeCard];
const DISKS = [SmallDisk, LargeDisk];

type PartName = "nic" | "disk";

class Board extends Device {
  static override readonly typeName: string = "board-with-options";
  static override readonly properties = [
    stringProperty<Board>("nic", "nic"),
    stringProperty<Board>("disk", "disk"),
  ];
  nic = "";
  disk = "";
  storage: Storage = "owned";
  /** Bytes of its state that no part uses. */
  unused = 0;

  protected override realize(): void {
    for (const part of ["nic", "disk"] as const) this.build(part, this.model.types.lookup(this[part]));
  }

  protected build(part: PartName, type: QomType<QomObject>): void {
    if (this.storage === "owned") this.newChild(part, type);
    else
      this.initializeChild(part, this.storage === "embedded" ? this.embed(type) : this.model.allocate(type));
  }
}

const ROOM = { nic: LargeCard.instanceSize, disk: LargeDisk.instanceSize } as const;

class BoardWithRoom extends Board {
  static override readonly typeName = "board-with-room";
  static override readonly instanceSize: number = Board.instanceSize + ROOM.nic + ROOM.disk;

  protected override build(part: PartName, type: QomType<QomObject>): void {
    if (type.instanceSize > ROOM[part])
      throw new QomAbort(
        `${type.typeName} has ${type.instanceSize} bytes; ${part} has room for ${ROOM[part]}`,
      );
    this.unused += ROOM[part] - type.instanceSize;
    this.initializeChild(part, new type({ model: this.model, block: this.block }));
  }
}

/** Returns the bytes of the board's state that no part used. */
function buildAndRemove(
  { model, storage }: Stage,
  type: typeof Board,
  nic: typeof Device,
  disk: typeof Device,
): number {
  const board = model.create(type);
  board.setProperty("nic", nic.typeName);
  board.setProperty("disk", disk.typeName);
  board.storage = storage;
  board.plug();
  const { unused } = board;
  board.remove();
  return unused;
}

/** Each type that took its place in the slot of a new board, with its bytes; the board has ended, and left nothing. */
async function plugged(form: RegionForm): Promise<{ readonly driver: string; readonly bytes: number }[]> {
  const folder = mkdtempSync(join(tmpdir(), "regionlab-claims-"));
  try {
    const disk = join(folder, "disk");
    writeFileSync(disk, new Uint8Array(512));
    const hardware = await loadHardware(form);
    return DRIVERS.flatMap((driver) => {
      const isDisk = driver === "virtio-blk-device";
      const attached = parseHardwareOptions({
        drive: isDisk ? [`file=${disk},if=none,id=d,format=raw`] : [],
        device: [`${driver},id=part,bus=virtio-mmio-bus.7${isDisk ? ",drive=d" : ""}`],
        ...{ global: [], fw_cfg: [], chardev: [], netdev: [] },
      });
      const emulation = new Emulation({ hardware, ramBytes: 2 ** 20, attached });
      const part = emulation.model.resolvePath("/machine/peripheral/part");
      const bytes = part.block.bytes;
      const isThere = part instanceof Device && part.qomType.typeName === driver && part.realized;
      emulation.destroy();
      return isThere && emulation.model.heap.leaks().length === 0 ? [{ driver, bytes }] : [];
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
