import { type Claim, type Combination, ENDS_WELL, isFine } from "./claim.ts";
import { MAPPED_AT } from "./stage.ts";

const UNPLUGS = 10;

export const c08: Claim = {
  id: "C8",
  claim: "The leaks do not matter in practice, because the devices concerned are never destroyed.",
  by: ["Balaton"],
  context: "A host bridge lives as long as the machine; a region that is not freed with it costs nothing.",
  scenarios: [
    {
      name: "never unplugged",
      description: "A device is created, mapped and read, and the machine runs on.",
      rule: "Storage leaks only at the end of the owner [3.5c]: until then its regions are in the composition tree, and in use.",
      predicted: { embedded: "clean", owned: "clean", heap: "clean" },
      figures: () => ({ "blocks leaked": 0 }),
      agrees: (_, seen) => isFine(seen),
      run: (stage) => {
        const device = stage.device((subject) => void subject.window());
        stage.map(device.region(0));
        stage.space.read(MAPPED_AT, 4);
        stage.settle();
        return { "blocks leaked": stage.leaked().length };
      },
    },
    {
      name: "unplugged again and again",
      description: `A device with one region is plugged in and unplugged ${UNPLUGS} times.`,
      rule: "Each end of an owner leaks each region that was allocated by hand [3.5c, I7].",
      predicted: ENDS_WELL,
      figures: ({ storage }: Combination) => ({ "blocks leaked": storage === "heap" ? UNPLUGS : 0 }),
      agrees: ({ storage }, seen) => (storage === "heap" ? isFine(seen) : null),
      run: (stage) => {
        for (let round = 0; round < UNPLUGS; round++) {
          const device = stage.device((subject) => void subject.window());
          const window = device.region(0);
          stage.map(window);
          stage.unmap(window);
          stage.settle();
          device.remove();
          stage.settle();
        }
        return { "blocks leaked": stage.leaked().length };
      },
    },
  ],
};
