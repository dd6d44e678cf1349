import type { Claim } from "./claim.ts";
import type { QemuFigures } from "./qemu-figures.ts";

export const c11 = ({ figures }: QemuFigures): Claim => ({
  id: "C11",
  claim: "The existing code will not be converted in mass.",
  by: ["Maydell"],
  context: "There are well over a thousand embedded regions, and nobody is going to rewrite all of them.",
  scenarios: [],
  facts: [
    {
      name: "errors and warnings of the compiler after conversion by rule that were not there before",
      rule: "Only sites that are understood are converted; a tree that does not compile would be work by hand.",
      predicted: "0",
      observe: async () =>
        figures.find(({ claim, name }) => claim === "C11" && name.startsWith("new errors and warnings"))
          ?.value ?? "not measured",
      agrees: () => null,
    },
    {
      name: "share of QEMU's regions that can be converted by rule, without hand edits",
      rule: "Of 1354 fields, a scan found 1085 that only set-up and tear-down use, 17 that are unparented at run time, and 69 that it did not understand. So at least 80 %, and not all.",
      predicted: "at least 80 %, not all",
      observe: async () => {
        const found = figures.find(
          ({ claim, name }) => claim === "C11" && name.startsWith("regions converted"),
        );
        const [, converted = 0, all = 0] = /^(\d+) of (\d+)/.exec(found?.value ?? "")?.map(Number) ?? [];
        if (all === 0) return "not measured";
        if (converted === all) return "all";
        return converted >= 0.8 * all ? "at least 80 %, not all" : "less than 80 %";
      },
      agrees: () => null,
    },
  ],
  decidedElsewhere:
    "Counted is what can be converted by rule, in C; whether anybody will is not a question for a measurement.",
});
