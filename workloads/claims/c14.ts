import { Device, stringProperty } from "#qdev";
import { type Claim, has, isFine, type Storage } from "./claim.ts";

export const c14: Claim = {
  id: "C14",
  claim:
    "Pointers fit boards that the user wires, and parts whose type is chosen at run time; embedding them is impossible.",
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
        for (const nic of CARDS) {
          for (const disk of DISKS) {
            const board = stage.model.create(Board);
            board.setProperty("nic", nic.typeName);
            board.setProperty("disk", disk.typeName);
            board.storage = stage.storage;
            board.plug();
            board.remove();
          }
        }
        return undefined;
      },
    },
  ],
  notes: [
    "In C a union of all types known in advance would do, with the size of the largest, and a type that is not in it would abort. The scenario is about a device as a part; the region of a device has one size.",
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

const CARDS = [SmallCard, LargeCard];
const DISKS = [SmallDisk, LargeDisk];

class Board extends Device {
  static override readonly typeName = "board-with-options";
  static override readonly properties = [
    stringProperty<Board>("nic", "nic"),
    stringProperty<Board>("disk", "disk"),
  ];
  nic = "";
  disk = "";
  storage: Storage = "owned";

  protected override realize(): void {
    for (const part of ["nic", "disk"] as const) {
      const type = this.model.types.lookup(this[part]);
      if (this.storage === "owned") this.newChild(part, type);
      else
        this.initializeChild(
          part,
          this.storage === "embedded" ? this.embed(type) : this.model.allocate(type),
        );
    }
  }
}
