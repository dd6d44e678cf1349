import { type Claim, isUsedLate } from "./claim.ts";

export const c21: Claim = {
  id: "C21",
  claim:
    "Unparenting a region, or taking it out of its container, in the owner's instance_finalize is use after finalization.",
  by: ["Odaki"],
  context:
    "By the time a device's finalizer runs, its regions have been finalized: cleaning up after them there is too late.",
  scenarios: [
    {
      name: "object_unparent in the finalizer",
      description: "A device's finalizer unparents its region.",
      rule: "The child is released, and so finalized, before the finalizer [3.1, 3.5a]; unparenting it finds no parent [3.5b], but looks at it. Embedded, its storage still stands; owned, it has been freed [12.5].",
      predicted: {
        embedded: "use after finalize",
        owned: "use after free",
        heap: "use after finalize + leak",
      },
      agrees: (_, seen) => isUsedLate(seen),
      run: (stage) => {
        stage
          .device((subject) => void subject.window(), {
            atFinalize: (subject) => subject.region(0).unparent(),
          })
          .remove();
        return undefined;
      },
    },
    {
      name: "del_subregion in the finalizer",
      description: "A device's finalizer takes a region out of a container, both its own.",
      rule: "The regions have ended and left each other [7.2, 7.4]; the container reads the subregion, which names no container: an assertion [6.3]. Without the exemption the device never ends [6.4].",
      predicted: {
        embedded: [
          "abort + use after finalize",
          "leak",
          "abort + use after finalize",
          "abort + use after finalize",
        ],
        owned: ["abort + use after free", "leak", "abort + use after free", "abort + use after free"],
        heap: [
          "abort + use after finalize",
          "leak",
          "abort + use after finalize",
          "abort + use after finalize",
        ],
      },
      agrees: ({ policy }, seen) => (policy === "owner-7.2" ? null : isUsedLate(seen)),
      run: (stage) => {
        stage
          .device((subject) => void subject.nest(), {
            atFinalize: (subject) => subject.region(0).delSubregion(subject.region(1)),
          })
          .remove();
        return undefined;
      },
    },
  ],
};
