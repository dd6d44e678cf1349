import { ALL_POLICIES, type Claim, isFine } from "./claim.ts";
import { LEAF_OFFSET, MAPPED_AT, type Stage, type Subject } from "./stage.ts";

const OWN_COUNTS = ["self", "self+unparent"];

export const c16: Claim = {
  id: "C16",
  claim: "With reference counts of their own, regions could outlive their device safely.",
  by: ["Balaton", "Cave-Ayland"],
  context:
    "A region of virtio-gpu may have to exist outside its device until the RCU thread destroys it; could counting on the region solve that?",
  scenarios: [
    {
      name: "blob unmapped under a reader",
      description:
        "A device takes a RAM region out of its container at run time and unparents it while a reader uses the old map; the reader reads it once more.",
      rule: "Counted on the owner, the region itself is not held: unparenting ends it under the view [5.6]. Counted on the region, the view holds it, and its storage stands, embedded or not, as the device lives on.",
      policies: ALL_POLICIES,
      predicted: {
        embedded: ["use after finalize", "use after finalize", "clean", "use after finalize", "clean"],
        owned: ["use after free", "use after free", "clean", "use after free", "clean"],
        heap: [
          "use after finalize + leak",
          "use after finalize + leak",
          "leak",
          "use after finalize + leak",
          "leak",
        ],
      },
      agrees: ({ storage, policy }, seen) =>
        storage === "owned" && OWN_COUNTS.includes(policy) ? isFine(seen) : null,
      run: (stage) => {
        const device = stage.device((subject) => void subject.nest((index) => subject.ramWindow(index)));
        const [container, blob] = [device.region(0), device.region(1)];
        stage.map(container);
        underReader(stage, () => {
          container.delSubregion(blob);
          blob.unparent();
        });
        stage.settle();
        endQuietly(stage, device);
        return undefined;
      },
    },
    {
      name: "RAM unplugged under a reader",
      description:
        "A device is unmapped and removed while a reader uses the old map; the reader reads the device's RAM once more.",
      rule: "Counted on the owner, the view keeps the device and its regions [5.1]. Counted on the region, it keeps only the region: owned, that is enough to read RAM; embedded, the storage goes with the device [3.5d]. Unparented at unrealize, the region ends under the view [5.6], unless it counts itself; holding its owner, it keeps that, too.",
      policies: ALL_POLICIES,
      predicted: {
        embedded: ["clean", "clean", "use after free", "use after finalize", "clean"],
        owned: ["clean", "clean", "clean", "use after free", "clean"],
        heap: ["leak", "leak", "leak", "use after finalize + leak", "leak"],
      },
      agrees: ({ storage, policy }, seen) =>
        storage === "owned" && OWN_COUNTS.includes(policy) ? isFine(seen) : null,
      run: (stage) => unplugUnderReader(stage, (subject) => void subject.ramWindow()),
    },
    {
      name: "registers unplugged under a reader",
      description:
        "The same with a region whose callbacks use the device: the reader reads a register once more.",
      rule: "Counted on the region, the region outlives the device, but its opaque pointer leads to the device [3.5d, 5.6], whose storage is gone in every form. Where the region holds its owner, it is not.",
      policies: ALL_POLICIES,
      predicted: {
        embedded: ["clean", "clean", "use after free", "use after finalize", "clean"],
        owned: ["clean", "clean", "use after free", "use after free", "clean"],
        heap: ["leak", "leak", "use after free + leak", "use after finalize + leak", "leak"],
      },
      agrees: ({ storage, policy }, seen) =>
        storage === "owned" && OWN_COUNTS.includes(policy) ? isFine(seen) : null,
      run: (stage) => unplugUnderReader(stage, (subject) => void subject.window()),
    },
  ],
  notes: [
    "Counts on the region need one thing more: the region must keep its owner while callbacks can reach it, and then embedded storage is as safe as owned.",
  ],
};

/** `change`s the map while a reader holds the old one, through which it reads what was mapped. */
function underReader(stage: Stage, change: () => void): void {
  const leave = stage.model.rcu.read();
  const old = stage.space.view;
  const [mapped] = old.ranges;
  change();
  stage.readThrough(old, mapped?.start ?? MAPPED_AT + LEAF_OFFSET);
  leave();
}

function unplugUnderReader(stage: Stage, build: (subject: Subject) => void): undefined {
  const device = stage.device(build);
  const region = device.region(0);
  stage.map(region);
  underReader(stage, () => {
    stage.unmap(region);
    device.remove();
  });
}

/** Removes a device whose container is mapped, without touching anything too early. */
function endQuietly(stage: Stage, device: Subject): void {
  stage.unmap(device.region(0));
  stage.settle();
  device.remove();
  stage.settle();
}
