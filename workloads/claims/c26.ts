import { AddressSpace } from "#memory";
import { type Claim, ENDS_WELL, isFine, type Observation } from "./claim.ts";

const agrees = ({ storage }: { storage: string }, seen: Observation) =>
  storage === "heap" ? null : isFine(seen);

export const c26: Claim = {
  id: "C26",
  claim: "An alias or a container may be unparented at any time, once it is out of its container.",
  by: ["QEMU's documentation"],
  context: "Only regions that answer accesses themselves have to wait for the maps that show them.",
  scenarios: [
    {
      name: "alias",
      description: "A device takes its mapped alias out of guest memory and unparents it at once.",
      rule: "A view refers to the target of an alias, never to the alias [8.3, 8.4]; what ended was held by nobody.",
      predicted: ENDS_WELL,
      agrees,
      run: (stage) => {
        const device = stage.device((subject) => void subject.alias(1, subject.window(0)));
        const alias = device.region(1);
        stage.map(alias);
        stage.unmap(alias);
        alias.unparent();
        stage.settle();
        device.remove();
        return undefined;
      },
    },
    {
      name: "container inside a map",
      description: "A device takes its mapped container out of guest memory and unparents it at once.",
      rule: "A view refers to regions that answer accesses, not to the containers above them [8.3, 8.4]; ending, the container lets go of its subregions [7.2].",
      predicted: ENDS_WELL,
      agrees,
      run: (stage) => {
        const device = stage.device((subject) => void subject.nest());
        const container = device.region(0);
        stage.map(container);
        stage.unmap(container);
        container.unparent();
        stage.settle();
        device.remove();
        return undefined;
      },
    },
    {
      name: "root of a view",
      description:
        "A device destroys an address space of its own and at once unparents the container at its root.",
      rule: "A view refers to its root, also if that is a container [8.4], and so does the space until its deferred part [9.3]; both look at it once more to find its owner [5.6]. Counted on the region, they keep it.",
      predicted: {
        embedded: ["harmless read", "harmless read", "clean", "harmless read"],
        owned: ["use after free", "use after free", "clean", "use after free"],
        heap: ["leak + harmless read", "leak + harmless read", "leak", "leak + harmless read"],
      },
      agrees,
      run: (stage) => {
        const device = stage.device((subject) => void subject.nest());
        const container = device.region(0);
        new AddressSpace(stage.model, container, "bus master").destroy();
        container.unparent();
        stage.settle();
        device.remove();
        return undefined;
      },
    },
  ],
  notes: [
    "Embedded, the late use reads the owner from storage that still stands, which is harmless in C. Owned, it reads freed memory: a conversion must leave such a site alone.",
  ],
};
