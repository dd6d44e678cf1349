import { RcuNode } from "#memory";
import { type Claim, has } from "./claim.ts";

export const c23: Claim = {
  id: "C23",
  claim: "Of two RCU callbacks that are queued on one node, the first is lost.",
  by: ["Maydell", "Xu"],
  context:
    "Destroying an address space and freeing what it lies in used one node, and the address space was never cleaned up.",
  scenarios: [
    {
      name: "one node, two callbacks",
      description: "A second callback is queued on a node whose first has not run yet.",
      rule: "The node is a link of the queue: linking it again overwrites what it held, and QEMU says nothing [8.8]. Here it is an assertion, so that it cannot go unnoticed.",
      storages: ["embedded"],
      policies: ["owner"],
      predicted: { embedded: "abort", owned: "abort", heap: "abort" },
      agrees: (_, seen) => has(seen, "abort"),
      run: (stage) => {
        const node = new RcuNode();
        stage.model.rcu.call(node, () => {});
        stage.model.rcu.call(node, () => {});
        return undefined;
      },
    },
    {
      name: "a node each",
      description: "The same with two nodes.",
      rule: "The queue is first in, first out [8.7].",
      storages: ["embedded"],
      policies: ["owner"],
      predicted: { embedded: "clean", owned: "clean", heap: "clean" },
      figures: () => ({ ran: "first, second" }),
      agrees: () => null,
      run: (stage) => {
        const ran: string[] = [];
        stage.model.rcu.call(new RcuNode(), () => void ran.push("first"));
        stage.model.rcu.call(new RcuNode(), () => void ran.push("second"));
        stage.settle();
        return { ran: ran.join(", ") };
      },
    },
  ],
  decidedElsewhere:
    "By construction: QEMU loses the callback without a word, and an assertion of the model stands for that.",
  notes: ["Neither storage nor policy matters, so one combination is enough."],
};
