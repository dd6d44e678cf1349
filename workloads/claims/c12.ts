import { scenario } from "../lifecycle/index.ts";
import type { Claim, Fact } from "./claim.ts";
import type { Evidence, MixedDevices } from "./evidence.ts";

/** Percent of the device files that are converted. */
export const SHARES = [0, 25, 50, 75, 100] as const;
/** Every device of the scenario in turn, twice. */
const ROUNDS = 6;

const yes = (observed: string | number) => observed === "yes" || observed === 0;

export const c12 = ({ mixed }: Evidence): Claim => ({
  id: "C12",
  claim: "Migration can be gradual: a tree in which only some devices are converted works.",
  by: ["Balaton"],
  context: "Nobody has to convert what they do not maintain; both kinds of device live side by side.",
  scenarios: [],
  facts: mixed === null ? [] : SHARES.flatMap((share) => factsOf(share, mixed)),
  notes: [
    "Predicted was that the audit finds nothing in a mixture. It found one thing: its warning that the board has both forms, which is what a mixture is, so the prediction had counted too much. Errors are counted now.",
  ],
  ...(mixed === null
    ? {
        decidedElsewhere:
          "Needs the sources of the devices, which the npm package leaves out: run it in a clone.",
      }
    : {}),
});

function factsOf(share: number, mixed: MixedDevices): Fact[] {
  const rule =
    "A device sees regions of others only through containers, views and references, none of which looks at how a region was allocated [5, 6, 8, 12.3].";
  return [
    {
      name: `${share} %: same boot and device accesses as with none converted`,
      rule,
      predicted: "yes",
      observe: async () => ((await mixed.boot(share)) === (await mixed.boot(0)) ? "yes" : "no"),
      agrees: yes,
    },
    {
      name: `${share} %: blocks left and late uses after plugging and unplugging`,
      rule: "Each owner ends as in its own form: nothing is left [3].",
      predicted: 0,
      observe: async () => {
        const run = scenario("plug-unplug").start({
          hardware: await mixed.hardware(share),
          checked: "count",
        });
        for (let round = 0; round < ROUNDS; round++) run.round();
        const { liveBlocks, usesAfterFinalize, usesAfterFree } = run.finish();
        return liveBlocks + usesAfterFinalize + usesAfterFree;
      },
      agrees: yes,
    },
    {
      name: `${share} %: errors that the audit finds`,
      rule: "The audit knows both forms, and conversion refuses what would become a bug.",
      predicted: 0,
      observe: () => mixed.bugs(share),
      agrees: yes,
    },
  ];
}
