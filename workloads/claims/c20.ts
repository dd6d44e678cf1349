import { AddressSpace } from "#memory";
import { holdGraph } from "#qdev";
import { ALL_POLICIES, type Claim, type Combination, ENDS_WELL, type Observation } from "./claim.ts";
import { MAPPED_AT, type Stage } from "./stage.ts";

const cycles = (policies: readonly string[]) => (combination: Combination) => ({
  cycles: policies.includes(combination.policy) ? 1 : 0,
});
const acyclic = ({ policy }: Combination, { figures }: Observation) =>
  policy === "owner" || policy === "owner-7.2" ? figures.cycles === 0 : null;

export const c20: Claim = {
  id: "C20",
  claim: "As long as references to regions count on their owner, the graph of references has no cycles.",
  by: ["Xu"],
  context:
    "Owners hold regions as children; if regions held anything themselves, circles could arise. Counted on the owner, a region holds nothing.",
  scenarios: [
    {
      name: "plain device",
      description: "A device with one region is mapped.",
      rule: "The device holds its region by its property [2.1], and container, view and section hold the device [5.5]: nothing leads back. Where regions hold their owner, the two hold each other.",
      policies: ALL_POLICIES,
      predicted: ENDS_WELL,
      figures: cycles(["self+unparent"]),
      agrees: acyclic,
      run: (stage) => {
        const device = stage.device((subject) => void subject.window());
        const window = device.region(0);
        stage.map(window);
        const figures = cyclesOf(stage);
        stage.unmap(window);
        stage.settle();
        device.remove();
        return figures;
      },
    },
    {
      name: "container of one's own",
      description: "A device has put one of its regions into another.",
      rule: "Without the exemption the container holds the device [6.2], whose property holds the container. Counted on the region, the container holds only its subregion.",
      policies: ALL_POLICIES,
      predicted: ENDS_WELL,
      figures: cycles(["owner-7.2", "owner+unparent", "self+unparent"]),
      agrees: acyclic,
      run: (stage) => {
        const device = stage.device((subject) => void subject.nest());
        const [container, leaf] = [device.region(0), device.region(1)];
        const figures = cyclesOf(stage);
        container.delSubregion(leaf);
        device.remove();
        return figures;
      },
    },
    {
      name: "address space of one's own",
      description: "A device has made an address space over a container of its own, which it is to destroy.",
      rule: "The space holds the owner of its root, the device [9.1, 9.4]. Counted on the region, it holds the root, which holds nothing.",
      policies: ALL_POLICIES,
      predicted: ENDS_WELL,
      figures: cycles(["owner", "owner-7.2", "owner+unparent", "self+unparent"]),
      agrees: acyclic,
      run: (stage) => {
        const device = stage.device((subject) => {
          subject.busMaster = new AddressSpace(stage.model, subject.container(0), "bus master");
        });
        const figures = cyclesOf(stage);
        device.busMaster?.destroy();
        device.busMaster = null;
        stage.settle();
        device.remove();
        return figures;
      },
    },
    {
      name: "one's own registers mapped",
      description: "A device has mapped its own registers through guest memory.",
      rule: "The mapping holds the owner of the registers, the device that is to give it back [9.5]. Counted on the region, it holds the region, which holds nothing.",
      policies: ALL_POLICIES,
      predicted: ENDS_WELL,
      figures: cycles(["owner", "owner-7.2", "owner+unparent", "self+unparent"]),
      agrees: acyclic,
      run: (stage) => {
        const device = stage.device((subject) => void subject.window());
        const window = device.region(0);
        stage.map(window);
        device.lent = stage.space.map(MAPPED_AT, 4, false);
        const figures = cyclesOf(stage);
        if (device.lent !== null) stage.space.unmap(device.lent, 0);
        device.lent = null;
        stage.unmap(window);
        stage.settle();
        device.remove();
        return figures;
      },
    },
  ],
  notes: [
    "A device's field that leads to an address space, or to a mapping, counts as an edge: only the device ends it. `regionlab tree refs` draws the graph of a whole machine.",
  ],
};

function cyclesOf(stage: Stage): { cycles: number } {
  return { cycles: holdGraph(stage.model).cycles.length };
}
