/** The worker's message loop: drives one class in one form per message. */
import type * as Memory from "#memory";
import type * as Qdev from "#qdev";
import type * as Qom from "#qom";
import { driveClass } from "./drive.ts";
import { type HostModules, Linker } from "./linker.ts";
import type { Rooms } from "./stage.ts";
import type { Job, JobResult, ModuleText, RoomIds } from "./trace.ts";

/** Where jobs come from, and results go. */
interface Port {
  on(event: "message", listen: (job: Job) => void): void;
  postMessage(result: JobResult): void;
}

/** Called once, by the worker's first code. */
export function serve(host: HostModules, components: readonly ModuleText[], ids: RoomIds, port: Port): void {
  const base = new Linker(host, components);
  // The components export what their types say.
  const rooms: Rooms = {
    qom: base.load(ids.qom) as unknown as typeof Qom,
    memory: base.load(ids.memory) as unknown as typeof Memory,
    qdev: base.load(ids.qdev) as unknown as typeof Qdev,
  };
  port.on("message", (job) => {
    void run(job, new Linker(host, job.modules, base), rooms).then((result) => port.postMessage(result));
  });
}

async function run(job: Job, linker: Linker, rooms: Rooms): Promise<JobResult> {
  try {
    return await driveClass(job, linker, rooms);
  } catch (error) {
    return {
      traces: [],
      impossible: `cannot be loaded: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}
