/** What QEMU allocates from its start to its end, machine by machine. */
import { CommandError } from "#host";
import { markdownTable, plainTable, questionTitle } from "#results";
import { AllocationCounter, type Allocations } from "../allocations.ts";
import { allocationsOf } from "../memory.ts";
import { checkBuild } from "../session.ts";
import { type Work, worksOf } from "../works.ts";

/** Works that are a process, start and end. */
export function starts(): Work[] {
  return worksOf().filter(({ player }) => player === null);
}

export async function compareStarts({ a, b }: { a: string; b: string }): Promise<string> {
  checkBuild("--a", a);
  checkBuild("--b", b);
  const rows: string[][] = [];
  for (const work of starts()) {
    const [left, right] = [await startOf(a, work), await startOf(b, work)];
    const pick = (name: keyof Allocations) => [`${left[name]}`, `${right[name]}`];
    rows.push([questionTitle(work), ...pick("regions"), ...pick("calls"), ...pick("live")]);
  }
  const head = ["of a region's size, A", "B", "all mallocs, A", "B", "live bytes at the end, A", "B"];
  return markdownTable(plainTable("", ["Start", ...head], [1, 2, 3, 4, 5, 6], rows));
}

/** Allocations of one process. @param work one of {@link starts}; the first, the virt board, unless given */
export async function startOf(build: string, work: Work | undefined = starts()[0]): Promise<Allocations> {
  if (work === undefined) throw new CommandError("no start of a machine is measured", { exitCode: 1 });
  const counter = new AllocationCounter();
  try {
    return await allocationsOf(counter, build, work, 0);
  } finally {
    counter.remove();
  }
}
