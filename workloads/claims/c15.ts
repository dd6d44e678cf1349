import { ALL_POLICIES, type Claim, type Combination, has, isFine } from "./claim.ts";

export const c15: Claim = {
  id: "C15",
  claim:
    "Embedding breaks object_ref: whoever holds a reference to an embedded child may find its storage gone.",
  by: ["Odaki"],
  context:
    "The child borrows its parent's storage, and that loan is not counted; the Rust bindings have to call taking a reference unsafe because of it.",
  scenarios: [
    {
      name: "hold the child, destroy the owner",
      description:
        "A reference to a region is taken with object_ref; the device is removed; the holder reads the region's size and drops the reference.",
      rule: "A reference to an embedded child does not keep the parent's storage [1.6]: the child survives the release of its property, and its storage goes under it [3.5d]. An owned child has storage of its own, which lives until the last unref. Allocated by hand, it survives as well, for ever. Only where a region holds its owner does the storage stay.",
      policies: ALL_POLICIES,
      predicted: {
        embedded: ["use after free", "use after free", "use after free", "use after free", "clean"],
        owned: "clean",
        heap: "leak",
      },
      figures: ({ storage, policy }: Combination) => ({
        "the region is": storage === "embedded" && policy !== "self+unparent" ? "gone" : "there",
      }),
      agrees: ({ storage, policy }, seen) => {
        if (policy === "self+unparent") return null;
        return storage === "embedded"
          ? has(seen, "use after free")
          : storage === "owned"
            ? isFine(seen)
            : null;
      },
      run: (stage) => {
        const device = stage.device((subject) => void subject.window());
        const window = device.region(0);
        const { block } = window;
        window.ref();
        device.remove();
        const there = block.freed ? "gone" : "there";
        if (window.size > 0) window.unref();
        return { "the region is": there };
      },
    },
  ],
};
