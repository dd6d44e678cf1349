import type { Claim } from "./claim.ts";
import type { Evidence } from "./evidence.ts";

export const c03 = ({ codeSize }: Evidence): Claim => ({
  id: "C3",
  claim: "Without fields for regions, the state of a device is simpler.",
  by: ["Balaton"],
  context:
    "Bus and parent know the regions already; a device that never touches one again need not have a field for it.",
  scenarios: [],
  facts: [
    {
      name: "region fields that conversion drops, over all devices",
      rule: "A field goes if only the functions that set the region up use it. Of QEMU 10.2.2's 1354 fields, a scan found 851 used by one function and 234 by set-up and tear-down only: 80 %.",
      predicted: "more than half",
      observe: async () => {
        const fields = (form: "embedded" | "owned") =>
          codeSize().reduce((sum, device) => sum + device[form].regionFields, 0);
        return 2 * fields("owned") < fields("embedded") ? "more than half" : "no more than half";
      },
      agrees: () => null,
    },
    {
      name: "devices whose state has no region left, of those that had one",
      rule: "Most devices have one to three regions, all made for the class above, and touch none of them again; one that enables, resizes or unparents a region keeps a pointer.",
      predicted: "more than half",
      observe: async () => {
        const had = codeSize().filter(({ embedded }) => embedded.regionFields > 0);
        const without = had.filter(({ owned }) => owned.regionFields === 0);
        return 2 * without.length > had.length ? "more than half" : "no more than half";
      },
      agrees: () => null,
    },
    {
      name: "devices whose state has more region fields than before",
      rule: "A pointer takes the place of the region that it leads to; nothing else is kept.",
      predicted: 0,
      observe: async () =>
        codeSize().filter(({ embedded, owned }) => owned.regionFields > embedded.regionFields).length,
      agrees: () => null,
    },
  ],
  notes: ["The rows by device were added when the total was known. C4 has the lines."],
  decidedElsewhere:
    "Counted is how many fields go; whether a state without them is simpler is for its readers to say.",
});
