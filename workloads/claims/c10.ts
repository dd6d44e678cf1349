import { IommuMemoryRegion, MemoryRegion } from "#memory";
import { constructors } from "./c09.ts";
import { SHARES } from "./c12.ts";
import type { Claim } from "./claim.ts";
import type { Evidence } from "./evidence.ts";
import type { QemuFigures } from "./qemu-figures.ts";

const initialisers = () =>
  [MemoryRegion, IommuMemoryRegion]
    .flatMap(({ prototype }) => Object.getOwnPropertyNames(prototype))
    .filter((name) => /^init([A-Z]|$)/.test(name));

export const c10 = ({ mixed }: Evidence, { figures }: QemuFigures): Claim => ({
  id: "C10",
  claim: "There should be one pattern only: two are worse than either.",
  by: ["Maydell", "Cave-Ayland"],
  context:
    "Most new code embeds; a second way has to be taught, reviewed and maintained for as long as both are there.",
  scenarios: [],
  facts: [
    {
      name: "ways to create a region while both patterns are there, for one way before",
      rule: "Each initialiser gets a constructor with the same arguments [12.1, 12.2], and both stay while both are used; initialisation makes no kind of region that construction does not.",
      predicted: 2,
      observe: async () => {
        const [inits, news] = [initialisers(), constructors()];
        const paired = inits.every((name) => news.includes(name.replace(/^init/, "new")));
        return paired ? (inits.length + news.length) / inits.length : inits.length + news.length;
      },
      agrees: () => null,
    },
    {
      name: "whether QEMU's tree could drop the first pattern after conversion by rule",
      rule: "Sites that unparent a region at run time, and regions without a name [12.1], are refused: C26, C27. What is refused keeps the pattern that it has.",
      predicted: "no",
      observe: async () => {
        const left = figures.find(
          ({ claim, name }) => claim === "C10" && name.startsWith("regions that keep"),
        );
        return left !== undefined && /^[1-9]/.test(left.value) ? "no" : "yes";
      },
      agrees: () => null,
    },
    ...(mixed === null
      ? []
      : [
          {
            name: `patterns in this tree with ${SHARES.join(", ")} % of the files converted`,
            rule: "A class is converted as a whole or not at all, and none of these devices is refused: one pattern before, one after, two on the way.",
            predicted: "1, 2, 2, 2, 1",
            observe: async () => {
              const counts: number[] = [];
              for (const share of SHARES) counts.push(patternsIn(await mixed.texts(share)).size);
              return counts.join(", ");
            },
            agrees: () => null,
          },
          {
            name: "files with both patterns, half of the files converted",
            rule: "Conversion goes class by class, and each device has a file of its own.",
            predicted: 0,
            observe: async () =>
              [...(await mixed.texts(50))].filter((file) => patternsIn(new Map([file])).size > 1).length,
            agrees: () => null,
          },
        ]),
  ],
  decidedElsewhere:
    "Counted is how many patterns there are, and for how long; whether two are worse than one is for reviewers to judge.",
});

function patternsIn(texts: ReadonlyMap<string, string>): Set<"embedded" | "owned"> {
  const found = new Set<"embedded" | "owned">();
  for (const text of texts.values()) {
    if (/\bembed(Array)?\(MemoryRegion\b/.test(text)) found.add("embedded");
    if (/\bMemoryRegion\.new/.test(text)) found.add("owned");
  }
  return found;
}
