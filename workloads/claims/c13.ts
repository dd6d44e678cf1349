import { type Claim, type Combination, isFine } from "./claim.ts";
import { LEAF_OFFSET, MAPPED_AT } from "./stage.ts";

export const c13: Claim = {
  id: "C13",
  claim:
    "Regions follow the reference count of their owner and have none of their own, so embedded regions no longer leak.",
  by: ["Maydell"],
  context:
    "If embedding leaks, that is to be mended where it is; it was thought mended, because regions count on their owners.",
  scenarios: [
    {
      name: "used and unplugged",
      description:
        "A device with a container and a region in it is mapped, lent, unmapped and, before the old view is gone, removed.",
      rule: "References count on the owner [5.1], the region's own count stays 1 [5.3, I1]. Without the same-owner exemption the container holds its own device for ever [6.4]. Counted on the region, an embedded one loses its storage under the old view [3.5d]. Unparented at unrealize, it ends under that view [5.6].",
      predicted: {
        embedded: ["clean", "leak", "use after free", "use after finalize"],
        owned: ["clean", "leak", "clean", "use after free"],
        heap: ["leak", "leak", "leak", "use after finalize + leak"],
      },
      figures: ({ policy }: Combination) => ({ "own count stays 1": policy === "self" ? "no" : "yes" }),
      agrees: ({ storage, policy }, seen) =>
        storage === "embedded" && policy.startsWith("owner") && !policy.includes("+")
          ? isFine(seen) && seen.figures["own count stays 1"] === "yes"
          : null,
      run: (stage) => {
        const device = stage.device((subject) => void subject.nest());
        const [container, leaf] = [device.region(0), device.region(1)];
        stage.map(container);
        const lent = stage.space.map(MAPPED_AT + LEAF_OFFSET, 4, false);
        const highest = Math.max(container.refCount, leaf.refCount);
        if (lent !== null) stage.space.unmap(lent, 0);
        stage.unmap(container);
        device.remove();
        return { "own count stays 1": highest === 1 ? "yes" : "no" };
      },
    },
  ],
  notes: [
    "The exemption that QEMU has had since 10.2 is what makes it hold; counting on the owner alone does not.",
  ],
};
