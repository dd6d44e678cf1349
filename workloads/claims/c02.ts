import type { MemoryListener } from "#memory";
import { type Claim, type Combination, ENDS_WELL, type Storage } from "./claim.ts";
import { MAPPED_AT, Stage } from "./stage.ts";

const LIFE =
  "map, region appears, commit, read 0x5a, lend, take back, unmap, region disappears, commit, settle, unplug, region ends, device ends, settle";

export const c02: Claim = {
  id: "C2",
  claim:
    "Only a constructor is missing: references, unreferences, finalization and commits stay as they are, and only the release of storage moves.",
  by: ["Balaton"],
  context:
    "The series factors the set-up of a region out of its initialisation and adds a constructor that allocates; nothing else changes.",
  scenarios: [
    {
      name: "a whole life, traced",
      description:
        "A device with one region is created, realized, mapped, read, lent to another device, unmapped and, after a grace period, removed; every event and every change of the device's reference count is recorded.",
      rule: "Apart from where the storage comes from and when it goes [12.3], nothing in creation [4], mapping [6], views [8] and finalization [3] looks at how a region was allocated. The trace is compared with that of embedded regions under the same policy.",
      predicted: ENDS_WELL,
      // The order of events follows from sections 6, 8 and 3; where regions are unparented at unrealize, they end there.
      figures: () => ({ events: LIFE, "differs from embedded": "no" }),
      agrees: ({ storage }, { figures }) =>
        storage === "embedded" ? null : figures["differs from embedded"] === "no",
      run: (stage) => {
        const trace = lifeOf(stage);
        const reference = lifeOf(new Stage(withStorage(stage, "embedded")));
        return {
          events: trace.filter((event) => !event.startsWith("count ")).join(", "),
          "differs from embedded": trace.join() === reference.join() ? "no" : "yes",
        };
      },
    },
  ],
  notes: [
    "A life without faults. Where something is touched after its end, the moment of release is all the difference: C15, C21, C26, C27.",
  ],
};

function withStorage({ policy }: Combination, storage: Storage): Combination {
  return { storage, policy };
}

/** Events, and the device's reference count after each step. */
function lifeOf(stage: Stage): string[] {
  const trace: string[] = [];
  const device = stage.device((subject) => void subject.window());
  const window = device.region(0);
  const listener: MemoryListener = {
    space: stage.space,
    priority: 0,
    regionAdd: () => void trace.push("region appears"),
    regionDel: () => void trace.push("region disappears"),
    commit: () => void trace.push("commit"),
  };
  stage.space.addListener(listener);
  trace.length = 0; // being added, a listener hears of what is there
  const step = (event: string, act: () => void) => {
    trace.push(event);
    act();
    trace.push(`count ${device.refCount}`);
  };
  step("map", () => stage.map(window));
  trace.push(`read 0x${stage.space.read(MAPPED_AT, 4).toString(16)}`);
  let lent = stage.space.map(MAPPED_AT, 4, false);
  step("lend", () => {});
  step("take back", () => {
    if (lent !== null) stage.space.unmap(lent, 0);
    lent = null;
  });
  step("unmap", () => stage.unmap(window));
  step("settle", () => stage.settle());
  const before = stage.model.events.length;
  trace.push("unplug");
  device.remove();
  const ends = stage.model.events.slice(before).filter((event) => event.endsWith("ends"));
  // An object is noted when its end begins, which for a device is before that of its regions.
  trace.push(...ends.filter((event) => event.startsWith("region")).map(plain), "device ends");
  trace.push("settle");
  stage.settle();
  const life = [...trace];
  stage.space.removeListener(listener); // which hears of that, too
  return life;
}

function plain(event: string): string {
  return event.replace(/ \d+/, "");
}
