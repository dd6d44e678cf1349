import { type Claim, type Combination, has, isFine } from "./claim.ts";
import { REGION_BYTES } from "./sizes.ts";

const OWNERS = 5;
const REGIONS = 2;

export const c01: Claim = {
  id: "C1",
  claim: "Initialising a region in place clears its free callback, so a region allocated by hand leaks.",
  by: ["Balaton"],
  context:
    "Regions are documented as freed with their owner, but the only constructors there are switch that off.",
  scenarios: [
    {
      name: "owners end",
      description: `${OWNERS} devices with ${REGIONS} regions each are created, realized and removed.`,
      rule: "Initialisation makes the free callback null [1.2]; without one, nothing frees the storage at the end [3.4, 3.5c, I7]. Embedded storage goes with the device; object_new sets the callback after the initialisation [1.3].",
      predicted: { embedded: "clean", owned: "clean", heap: "leak" },
      figures: ({ storage }: Combination) => ({
        "region blocks unfreed": storage === "heap" ? OWNERS * REGIONS : 0,
        bytes: storage === "heap" ? OWNERS * REGIONS * REGION_BYTES : 0,
      }),
      agrees: ({ storage }, seen) => (storage === "heap" ? has(seen, "leak") : isFine(seen)),
      run: (stage) => {
        for (let owner = 0; owner < OWNERS; owner++) {
          const device = stage.device((subject) => {
            for (let index = 0; index < REGIONS; index++) subject.window(index);
          });
          device.remove();
        }
        stage.settle();
        const leaked = stage.leaked().filter(({ typeName }) => typeName === "memory-region");
        return {
          "region blocks unfreed": leaked.length,
          bytes: leaked.reduce((sum, { bytes }) => sum + bytes, 0),
        };
      },
    },
  ],
};
