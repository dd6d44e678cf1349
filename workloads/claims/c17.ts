import { ALL_POLICIES, type Claim, type Combination } from "./claim.ts";

const outlives = ["owner-7.2"];

export const c17: Claim = {
  id: "C17",
  claim:
    "The same-owner exemption cures the references that a device takes on itself through its containers.",
  by: ["Xu"],
  context:
    "A container takes no reference on a subregion of its own owner, so that the device can end; that went into QEMU 10.2.",
  scenarios: [
    {
      name: "container of one's own",
      description:
        "A device that has put one of its regions into another, both made when it was created, is realized and removed.",
      rule: "Adding a subregion refs its owner if the owners differ; before 10.2, always [6.2]: the device then holds itself and never ends [6.4]. Counted on the region, the container holds only the region, and ends first or lets go of it [6.3, 7.4].",
      policies: ALL_POLICIES,
      predicted: {
        embedded: ["clean", "leak", "clean", "clean", "clean"],
        owned: ["clean", "leak", "clean", "clean", "clean"],
        heap: "leak",
      },
      figures: ({ policy }: Combination) => ({ "the device ends": outlives.includes(policy) ? "no" : "yes" }),
      agrees: ({ policy }, { figures }) => {
        if (policy !== "owner" && policy !== "owner-7.2") return null;
        return figures["the device ends"] === (policy === "owner" ? "yes" : "no");
      },
      run: (stage) => {
        const device = stage.device((subject) => void subject.nest());
        device.remove();
        stage.settle();
        return { "the device ends": stage.isFreed(device) ? "yes" : "no" };
      },
    },
  ],
};
