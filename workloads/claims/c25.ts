import { Emulation, loadHardware, REGION_FORMS } from "#machine";
import type { Claim } from "./claim.ts";
import type { Evidence } from "./evidence.ts";

export const c25 = ({ fieldReads }: Evidence): Claim => ({
  id: "C25",
  claim:
    "As long as lifetimes are equal, where regions are stored makes no difference to start-up, accesses or memory.",
  by: ["Cave-Ayland"],
  context: "If both forms live and die together, there is nothing to gain but what the source looks like.",
  scenarios: [],
  facts: [
    {
      name: "accesses that read more region fields in one form than in the other",
      rule: "Dispatch reaches the region by pointer from the section, with the same loads in either form [10.1].",
      predicted: 0,
      observe: async () => {
        const counted = await fieldReads();
        return counted.filter(({ embedded, owned }) => embedded !== owned).length;
      },
      agrees: () => null,
    },
    {
      name: "modelled bytes of the board virt, owned minus embedded",
      rule: "The 272 bytes of a region lie in the device or in a block of their own [1.7, 4.1]; an owned region takes a pointer where a field is kept, which the sizes of the classes leave out.",
      predicted: 0,
      observe: async () => {
        const [embedded = 0, owned = 0] = await Promise.all(
          REGION_FORMS.map(async (form) => {
            const emulation = new Emulation({ hardware: await loadHardware(form), ramBytes: 2 ** 20 });
            const { liveBytes } = emulation.model.heap.usage();
            emulation.destroy();
            return liveBytes;
          }),
        );
        return owned - embedded;
      },
      agrees: () => null,
    },
  ],
  decidedElsewhere:
    "Counted is what accesses read and what a board takes; the three benchmarks decide, and a report of them says how.",
  notes: ["Dispatch of a section hit is equal by construction: no form reads a region field."],
});
