import { AddressSpace } from "#memory";
import { ALL_POLICIES, type Claim, type Combination } from "./claim.ts";
import { MAPPED_AT, type Stage, type Subject } from "./stage.ts";

const ends = (policies: readonly string[]) => (combination: Combination) => ({
  "the device ends": policies.includes(combination.policy) ? "yes" : "no",
});
const neverEnds = ({ policy }: Combination, { figures }: { figures: Record<string, string | number> }) =>
  policy === "owner" || policy === "owner-7.2" ? figures["the device ends"] === "no" : null;

export const c18: Claim = {
  id: "C18",
  claim:
    "Counting on the owner lets a device hold itself in three ways: by a subregion, by an address space with its own root, and by mapping its own registers.",
  by: ["Odaki"],
  context:
    "Counting references to regions on their owner was meant as a shortcut; where the holder is the owner, it closes a circle.",
  scenarios: [
    {
      name: "subregion of the same owner",
      description: "A device that has put one of its regions into another is realized and removed.",
      rule: "Without the exemption the container holds its own device [6.2, 6.4].",
      policies: ALL_POLICIES,
      predicted: {
        embedded: ["clean", "leak", "clean", "clean", "clean"],
        owned: ["clean", "leak", "clean", "clean", "clean"],
        heap: "leak",
      },
      figures: ends(["owner", "self", "owner+unparent", "self+unparent"]),
      agrees: neverEnds,
      run: (stage) =>
        endOf(
          stage,
          stage.device((subject) => void subject.nest()),
        ),
    },
    {
      name: "address space of one's own",
      description:
        "A device makes an address space over a container of its own, is removed without destroying it, and the guest changes its map.",
      rule: "The space and its view ref the owner of the root [9.1, 9.4], and nobody destroys the space. Counted on the region, the device ends: an embedded root loses its storage, and the next commit reads it [3.5d]. Unparented at unrealize, the root ends while the space still refers to it: the next commit reads it. Where regions hold their owner, the space holds the root and the root the device.",
      policies: ALL_POLICIES,
      predicted: {
        embedded: ["leak", "leak", "use after free + leak", "use after finalize + leak", "leak"],
        owned: ["leak", "leak", "leak", "use after free + leak", "leak"],
        heap: ["leak", "leak", "leak", "use after finalize + leak", "leak"],
      },
      figures: ends(["self"]),
      agrees: neverEnds,
      run: (stage) => {
        const device = stage.device((subject) => {
          const container = subject.container(0);
          subject.busMaster = new AddressSpace(stage.model, container, "bus master");
        });
        const figures = endOf(stage, device);
        stage.changeMap();
        return figures;
      },
    },
    {
      name: "one's own registers mapped",
      description:
        "A device maps its own registers through guest memory and is unmapped and, after a grace period, removed without giving the mapping back.",
      rule: "A mapping refs the owner until it is given back [9.5]. Counted on the region it does not keep the device: what leaks then is the mapping's bounce buffer, and the region if it has storage of its own. Where regions hold their owner, the mapping keeps both.",
      policies: ALL_POLICIES,
      predicted: { embedded: "leak", owned: "leak", heap: "leak" },
      figures: ends(["self"]),
      agrees: neverEnds,
      run: (stage) => {
        const device = stage.device((subject) => void subject.window());
        const window = device.region(0);
        stage.map(window);
        device.lent = stage.space.map(MAPPED_AT, 4, false);
        stage.unmap(window);
        stage.settle();
        return endOf(stage, device);
      },
    },
  ],
  notes: [
    "The exemption takes care of the first. The other two end only if somebody destroys the space, or gives the mapping back.",
  ],
};

function endOf(stage: Stage, device: Subject): Record<string, string> {
  device.remove();
  stage.settle();
  return { "the device ends": stage.isFreed(device) ? "yes" : "no" };
}
