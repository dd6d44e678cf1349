import { Device } from "#qdev";
import type { QomObject, QomType } from "#qom";
import { type Claim, has, isFine } from "./claim.ts";

export const c14: Claim = {
  id: "C14",
  claim:
    "Pointers fit boards that the user wires, and parts whose type is chosen at run time; embedding them is impossible.",
  by: ["Maydell", "Cave-Ayland"],
  context:
    "If a network card may be one of several types, its size is not known when the board is compiled, so it cannot be a field of the board.",
  scenarios: [
    {
      name: "network card of a type chosen at run time",
      description:
        "The type of a board's network card is an option; for each of two types, the board is created, then the card, and the board is removed.",
      rule: "Storage inside an object is fixed by its type when it is allocated [1.2]: a part whose type comes later has no place there. As a child that the object model allocates it has [1.3, 2.1]. Allocated by hand and initialised in place, it is never freed [3.5c].",
      policies: ["owner"],
      predicted: { embedded: "abort", owned: "clean", heap: "leak" },
      agrees: ({ storage }, seen) =>
        storage === "embedded" ? has(seen, "abort") : storage === "owned" ? isFine(seen) : null,
      run: (stage) => {
        for (const type of [SmallCard, LargeCard]) {
          const board = stage.model.create(Board);
          board.plug();
          if (stage.storage === "embedded") board.embedCard(type);
          else if (stage.storage === "owned") board.ownCard(type);
          else board.allocateCard(type);
          board.remove();
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

class Board extends Device {
  static override readonly typeName = "board-with-card";

  embedCard(type: QomType<Device>): void {
    this.take(this.embed(type));
  }

  ownCard(type: QomType<Device>): void {
    this.newChild("card", type);
  }

  allocateCard(type: QomType<Device>): void {
    this.take(this.model.allocate(type));
  }

  private take(card: QomObject): void {
    this.initializeChild("card", card);
  }
}
