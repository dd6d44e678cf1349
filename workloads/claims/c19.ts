import { AddressSpace } from "#memory";
import { type Claim, type Combination, ENDS_WELL, isFine, type Observation } from "./claim.ts";
import type { Stage, Subject } from "./stage.ts";

const policies = ["owner+unparent", "self+unparent"] as const;
const figures = () => ({ "the device ends": "yes" });
const agrees = ({ storage }: Combination, seen: Observation) =>
  storage === "heap" ? null : isFine(seen) && seen.figures["the device ends"] === "yes";

export const c19: Claim = {
  id: "C19",
  claim:
    "Unparenting the regions when the device is unrealized breaks the circles: nothing leaks or is used after its end, and the owner ends after its regions.",
  by: ["Balaton", "Odaki"],
  context:
    "If regions and owners each had a count of their own, the owner could unparent its regions at unrealize, and be freed only once the regions had let go of it.",
  scenarios: [
    {
      name: "container of one's own",
      description: "A device that has put one of its regions into another is realized and removed.",
      rule: "At unrealize the regions leave their container and their owner [2.4], so that no reference to the device is left but those from outside.",
      policies,
      predicted: ENDS_WELL,
      figures,
      agrees,
      run: (stage) =>
        endOf(
          stage,
          stage.device((subject) => void subject.nest()),
        ),
    },
    {
      name: "ordinary unplug",
      description: "A mapped device is unmapped and at once removed, while the old view is still there.",
      rule: "Counted on the owner, unparenting ends the region although the old view refers to it; the view's destruction then reads its owner [5.6, 8.6]. Counted on the region, the view holds it, and it holds its owner.",
      policies,
      predicted: {
        embedded: ["use after finalize", "clean"],
        owned: ["use after free", "clean"],
        heap: ["use after finalize + leak", "leak"],
      },
      figures,
      agrees,
      run: (stage) => {
        const device = stage.device((subject) => void subject.window());
        const window = device.region(0);
        stage.map(window);
        stage.unmap(window);
        return endOf(stage, device);
      },
    },
    {
      name: "address space destroyed at unrealize",
      description:
        "A device that destroys an address space over a container of its own when it is unrealized is removed.",
      rule: "The space gives its root back only after a grace period [9.2, 9.3]. Counted on the owner, the root has been unparented by then and is read after its end. Counted on the region, the space keeps it.",
      policies,
      predicted: {
        embedded: ["harmless read", "clean"],
        owned: ["use after free", "clean"],
        heap: ["leak + harmless read", "leak"],
      },
      figures,
      agrees,
      run: (stage) =>
        endOf(
          stage,
          stage.device(
            (subject) => {
              subject.busMaster = new AddressSpace(stage.model, subject.container(0), "bus master");
            },
            { atUnrealize: (subject) => subject.busMaster?.destroy() },
          ),
        ),
    },
    {
      name: "never realized",
      description:
        "A device that puts one of its regions into another when it is created is dropped without ever having been realized.",
      rule: "What was never realized is never unrealized [11.1, 11.2], so nobody unparents the regions: the circle stays.",
      policies,
      predicted: { embedded: "leak", owned: "leak", heap: "leak" },
      figures: () => ({ "the device ends": "no" }),
      agrees,
      run: (stage) => {
        const device = stage.create((subject) => void subject.nest());
        device.unref();
        stage.settle();
        return { "the device ends": stage.isFreed(device) ? "yes" : "no" };
      },
    },
  ],
  notes: [
    "It works with counts on the region and regions that hold their owner, for devices that were realized. With counts on the owner, an owned region is freed under the old view at every unplug; of an embedded one, only the owner is read, from storage that still stands.",
  ],
};

function endOf(stage: Stage, device: Subject): Record<string, string> {
  device.remove();
  stage.settle();
  return { "the device ends": stage.isFreed(device) ? "yes" : "no" };
}
