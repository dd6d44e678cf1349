/** A separate process that runs one guest under V8's profiler and reports where its time went. */
import { Emulation, loadHardware } from "#machine";
import { reportTo } from "../runner/report-to.ts";
import { addUp, type Profile, profiled } from "./profile.ts";
import type { Guest } from "./works.ts";

/** The request to the process. */
export interface ProfileRequest {
  readonly work: string;
  readonly guest: Guest;
}

await reportTo(process, async (request) => {
  // The other end is main.ts, which sends nothing else.
  const { work, guest } = request as ProfileRequest;
  return await profileGuest(work, guest);
});

async function profileGuest(work: string, { ramBytes, milestones, ...files }: Guest): Promise<Profile> {
  const hardware = await loadHardware("embedded");
  const until = milestones.at(-1) ?? "";
  let instructions = 0;
  const started = performance.now();
  const profile = profiled(() => {
    const emulation = new Emulation({ hardware, ramBytes, files });
    const end = emulation.run({ until });
    if (end !== "milestone")
      throw new Error(`${work} ended by ${end} before it printed ${JSON.stringify(until)}`);
    instructions = emulation.instructions;
    emulation.destroy();
  });
  return { work, milliseconds: performance.now() - started, instructions, parts: addUp(profile) };
}
