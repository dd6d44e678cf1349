import { type Claim, type Combination, ENDS_WELL } from "./claim.ts";

const ORDERS = {
  embedded: "region 0 ends, device's finalizer, device is freed",
  owned: "region 0 ends, region 0 is freed, device's finalizer, device is freed",
  heap: "region 0 ends, device's finalizer, device is freed",
} as const;

export const c07: Claim = {
  id: "C7",
  claim:
    "Destroyed is not freed: an object's properties are released first, then its finalizers run, then its storage goes.",
  by: ["Odaki"],
  context:
    "A child of a dying object is finalized before the finalizer of the object; what is left of the child depends on its storage.",
  scenarios: [
    {
      name: "order of the end",
      description: "A device with one region and a finalizer is removed; what happens is recorded in order.",
      rule: "All properties, and with them the children, then instance_finalize, then the storage [3.1, 3.2, 3.4]. An owned region's storage goes with its property, so before the finalizer [12.5].",
      predicted: ENDS_WELL,
      figures: ({ storage }: Combination) => ({ order: ORDERS[storage] }),
      agrees: ({ storage }, { figures }) => figures.order === ORDERS[storage],
      run: (stage) => {
        const device = stage.device((subject) => void subject.window(), {
          atFinalize: () => stage.model.events.push("device's finalizer"),
        });
        stage.model.events.length = 0;
        device.remove();
        return { order: stage.model.events.filter((event) => event !== "device ends").join(", ") };
      },
    },
  ],
};
