import type { Claim } from "./claim.ts";
import type { Evidence } from "./evidence.ts";

/** Percent of a device's lines from which on one would not say "some lines". */
const SOME = 5;

export const c04 = ({ codeSize }: Evidence): Claim => ({
  id: "C4",
  claim: "Dropping the fields saves some lines, and that is all.",
  by: ["Odaki"],
  context: "A field carries no logic; leaving it out makes nothing easier to follow.",
  scenarios: [],
  facts: [
    {
      name: `lines saved over all devices below ${SOME} %`,
      rule: "A field that is dropped saves the line that declares it, and at most its comment; the call that creates the region stays. Devices have hundreds of lines and one to three regions.",
      predicted: "yes",
      observe: async () => {
        const lines = (form: "embedded" | "owned") =>
          codeSize().reduce((sum, device) => sum + device[form].lines, 0);
        return lines("embedded") - lines("owned") < (SOME / 100) * lines("embedded") ? "yes" : "no";
      },
      agrees: (observed) => observed === "yes",
    },
    {
      name: "devices that save more than two lines for each field that they drop",
      rule: "A field has a line, and at most another one for its comment: nothing that used it goes with it.",
      predicted: 0,
      observe: async () =>
        codeSize().filter(
          ({ embedded, owned }) =>
            embedded.lines - owned.lines > 2 * (embedded.regionFields - owned.regionFields),
        ).length,
      agrees: (observed) => observed === 0,
    },
    {
      name: "devices that get longer",
      rule: "Conversion adds no line: the pointer, where one is kept, takes the place of the field.",
      predicted: 0,
      observe: async () => codeSize().filter(({ embedded, owned }) => owned.lines > embedded.lines).length,
      agrees: () => null,
    },
  ],
  notes: [
    "The row by device was added when the total was known: a total could hide a device that gets much shorter.",
  ],
  decidedElsewhere:
    "So far as lines are counted; whether that is all is for readers to judge. C3 has the fields.",
});
