import type { Claim } from "./claim.ts";
import { ANSWER, MAPPED_AT } from "./stage.ts";

export const c22: Claim = {
  id: "C22",
  claim:
    "A device that forgets to take its region out of the guest's memory stays visible to the guest after it was unplugged.",
  by: ["Odaki"],
  context:
    "Nothing detaches a region when its device is unrealized; if nobody does, the guest still reaches it.",
  scenarios: [
    {
      name: "guest reads after unplug",
      description: "A mapped device is removed without being unmapped; then the guest reads its register.",
      rule: "Nothing detaches regions at unrealize [11.2]. The board's container holds the owner [6.2], which so never ends. Counted on the region, the device ends while its region is still mapped, and its callback uses it [3.5d]. Unparented at unrealize, the region ends inside a container of another owner: an assertion [7.2].",
      predicted: {
        embedded: ["leak", "leak", "use after free", "abort"],
        owned: ["leak", "leak", "use after free + leak", "abort"],
        heap: ["leak", "leak", "use after free + leak", "abort"],
      },
      figures: () => ({ "the guest reads": `0x${ANSWER.toString(16)}` }),
      agrees: (_, { figures }) => figures["the guest reads"] === `0x${ANSWER.toString(16)}`,
      run: (stage) => {
        const device = stage.device((subject) => void subject.window());
        stage.map(device.region(0));
        device.remove();
        stage.settle();
        return { "the guest reads": `0x${stage.space.read(MAPPED_AT, 4).toString(16)}` };
      },
    },
  ],
};
