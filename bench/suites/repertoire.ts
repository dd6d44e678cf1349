/** Everything that an arm can be asked to do, by name. Each part is loaded on demand, with only one device tree. */
import { loadHardware } from "#machine";
import type { ArmData, Repertoire } from "../trio/arm.ts";
import type { SlicedWork } from "../trio/work.ts";

export const repertoire: Repertoire = {
  make: makeWork,
  async boot(guest, { form }) {
    return (await import("./lockstep.ts")).bootingWork(guest, await loadHardware(form));
  },
  async answer(question, { form, quick }) {
    const hardware = await loadHardware(form);
    switch (question.kind) {
      case "proof": {
        const { guestOf, recordGuest } = await import("./guest.ts");
        return recordGuest(guestOf(question.guest, hardware));
      }
      case "remains":
        return (await import("./retention.ts")).countRemains(hardware, quick);
      case "heap":
        return (await import("./retention.ts")).followScenario(question, hardware, quick);
      case "outcomes":
        return (await import("./outcomes.ts")).armOutcomes(form);
    }
  },
};

/** @param name `dispatch/CASE`, `board`, `machine`, `releases/SCENARIO` */
async function makeWork(name: string, { form, quick }: ArmData): Promise<SlicedWork> {
  const [kind = "", subject = ""] = name.split("/");
  switch (kind) {
    case "dispatch":
      return (await import("./dispatch.ts")).dispatchWork(subject, form, quick);
    case "board":
      return (await import("./board-rounds.ts")).boardWork(await loadHardware(form), quick);
    case "machine":
      return (await import("./board-rounds.ts")).machineWork(await loadHardware(form), quick);
    case "releases":
      return (await import("./release-rounds.ts")).releaseWork(subject, await loadHardware(form), quick);
    default:
      throw new Error(`no work is called ${name}`);
  }
}
