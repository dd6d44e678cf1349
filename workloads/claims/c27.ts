import { type Claim, has, isUsedLate } from "./claim.ts";

export const c27: Claim = {
  id: "C27",
  claim:
    "Unparenting a region that is still in a view is use after finalization if it is embedded, and use after free if it is owned.",
  by: ["derived from the rules"],
  context:
    "Found while reading: the documentation forbids it, for good reasons, and conversion makes the consequences worse.",
  scenarios: [
    {
      name: "leaf unparented at run time",
      description:
        "A device takes a mapped region out of its container and unparents it before the old view is destroyed.",
      rule: "A view refs the owner, not the region, so unparenting ends it [5.6]; destroying the view then reads its owner [8.6]: embedded, from storage that still stands and that finalization left as it was. Counted on the region, the view keeps it.",
      predicted: {
        embedded: ["use after finalize", "use after finalize", "clean", "use after finalize"],
        owned: ["use after free", "use after free", "clean", "use after free"],
        heap: ["use after finalize + leak", "use after finalize + leak", "leak", "use after finalize + leak"],
      },
      agrees: ({ storage }, seen) => {
        if (storage === "heap") return null;
        return storage === "owned" ? has(seen, "use after free") : isUsedLate(seen);
      },
      run: (stage) => {
        const device = stage.device((subject) => void subject.nest());
        const [container, leaf] = [device.region(0), device.region(1)];
        stage.map(container);
        container.delSubregion(leaf);
        leaf.unparent();
        stage.settle();
        stage.unmap(container);
        stage.settle();
        device.remove();
        return undefined;
      },
    },
  ],
  notes: [
    "Of the embedded region, too, only the owner is read, which finalization leaves as it is. The documentation forbids unparenting a leaf under a view, so this counts as use after finalization; for a container or an alias (C26), which it allows, as a harmless read. This was predicted, then for a while predicted otherwise, until the rule was settled.",
  ],
};
