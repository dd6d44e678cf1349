import { type Claim, isUsedLate } from "./claim.ts";
import { MAPPED_AT } from "./stage.ts";

export const c06: Claim = {
  id: "C6",
  claim:
    "A region inside its owner's state lives exactly as long as the owner: one sees that without reading code.",
  by: ["Odaki"],
  context: "Embedding ties the storage of two objects together, so that neither can outlive the other.",
  scenarios: [
    {
      name: "unplug under a reader",
      description:
        "A device is unmapped and removed while a reader still uses the old map, whose views are destroyed later.",
      rule: "Counted on the owner, the view keeps the device and so its state [5.1, 5.5]. Counted on the region, nothing keeps the device: an embedded region loses its storage under the view [1.6, 3.5d]. Unparented at unrealize, the region ends under the view, while its storage stands [5.6]. What ends as it should leaks only what was allocated by hand.",
      predicted: {
        embedded: ["clean", "clean", "use after free", "use after finalize"],
        owned: ["clean", "clean", "clean", "use after free"],
        heap: ["leak", "leak", "leak", "use after finalize + leak"],
      },
      agrees: ({ storage }, seen) => (storage === "embedded" ? !isUsedLate(seen) : null),
      run: (stage) => {
        const device = stage.device((subject) => void subject.window());
        const window = device.region(0);
        stage.map(window);
        const leave = stage.model.rcu.read();
        const old = stage.space.view;
        stage.unmap(window);
        device.remove();
        void old.find(MAPPED_AT);
        leave();
        return undefined;
      },
    },
    {
      name: "held by a reference",
      description:
        "Something holds a reference to the region itself; the device is removed; the holder drops its reference.",
      rule: "The count of a region says nothing about the storage of its owner [1.6]: a region that is still referenced when its owner ends loses its storage with it if it is embedded [3.5d].",
      predicted: { embedded: "use after free", owned: "clean", heap: "leak" },
      agrees: ({ storage }, seen) => (storage === "embedded" ? !isUsedLate(seen) : null),
      run: (stage) => {
        const device = stage.device((subject) => void subject.window());
        const window = device.region(0);
        window.ref();
        device.remove();
        window.unref();
        return undefined;
      },
    },
  ],
  notes: [
    "True of storage. Of lifetimes, which is what matters, only as long as nothing counts on the region.",
  ],
};
