import { type Claim, type Combination, ENDS_WELL } from "./claim.ts";
import type { Stage, Subject } from "./stage.ts";

const ROUNDS = 3;
const children = ({ policy }: Combination) => (policy === "owner+unparent" ? 1 : ROUNDS);

export const c24: Claim = {
  id: "C24",
  claim:
    "A device may be realized again after it was unrealized, and then its regions are there more than once.",
  by: ["Mathieu-Daudé", "Cave-Ayland"],
  context: "Regions made at realize stay children of the device until it ends; realizing again makes more.",
  scenarios: [
    {
      name: "realized again, lives on",
      description: `A device that makes a region at realize is realized ${ROUNDS} times in all, and lives on.`,
      rule: "Regions made again get the next index; the old ones stay children until the device ends [11.1]. Unparented at unrealize, they do not. Embedded, all these children are one storage, initialised again [1.2, 1.4]; allocated by hand, the pointer to the last one is lost, but the device still holds it as a child.",
      predicted: {
        embedded: "clean",
        owned: "clean",
        heap: ["clean", "clean", "clean", "leak"],
      },
      figures: (combination) => ({ children: children(combination) }),
      agrees: (_, { figures }) => Number(figures.children) > 1,
      run: (stage) => ({ children: childrenOf(realizedOften(stage)) }),
    },
    {
      name: "realized again, then removed",
      description: "The same device is then removed.",
      rule: "Owned regions end with the device [3.1]. The embedded one was initialised while it was alive: its count is 1 again, and several properties count on it, so that the second release finds a count of 0: an assertion [1.2, 1.5]. Unparented at unrealize, it had ended by then.",
      predicted: {
        ...ENDS_WELL,
        embedded: [
          "abort + use after finalize",
          "abort + use after finalize",
          "abort + use after finalize",
          "clean",
        ],
      },
      agrees: () => null,
      run: (stage) => {
        realizedOften(stage).remove();
        return undefined;
      },
    },
    {
      name: "realized again, with RAM",
      description: "A device that makes RAM at realize, rather than registers, is realized again.",
      rule: "RAM is identified by its name, and the first of that name is there until the device ends [11.1]: the second aborts, in whichever storage it is [13.2]. Unparented at unrealize, the first has ended.",
      predicted: {
        embedded: ["abort", "abort", "abort", "clean"],
        owned: ["abort", "abort", "abort", "clean"],
        heap: ["abort", "abort", "abort", "leak"],
      },
      agrees: () => null,
      run: (stage) => {
        realizedOften(stage, (subject) => void subject.ramWindow());
        return undefined;
      },
    },
  ],
  notes: [
    "This emulator has no PCI bus, so what PCI core makes of it is not tested here: in QEMU 7.2 the children double, and device_del aborts; QEMU 10.2.2 ends at the second registration of a BAR, an assertion, in either form. The devices of these scenarios sit on no bus that minds.",
  ],
};

function realizedOften(stage: Stage, atRealize = (subject: Subject): void => void subject.window()): Subject {
  const device = stage.device(() => {}, { atRealize });
  for (let round = 1; round < ROUNDS; round++) {
    device.unplug();
    device.plug();
  }
  return device;
}

function childrenOf(device: Subject): number {
  return [...device.children()].length;
}
