/** What becomes of a device that is unrealized and realized again. */
import { CommandError } from "#host";
import { markdownTable, plainTable } from "#results";
import { checkBuild, Session } from "../session.ts";

/** PCI devices with regions that realize makes. */
const DRIVERS = ["edu", "pci-testdev", "ich9-ahci"];
const PATH = "/machine/peripheral/it";

export async function compareRealize({ a, b }: { a: string; b: string }): Promise<string> {
  checkBuild("--a", a);
  checkBuild("--b", b);
  const rows: string[][] = [];
  for (const driver of DRIVERS)
    rows.push([driver, await realizeAgain(a, driver), await realizeAgain(b, driver)]);
  return markdownTable(plainTable("", ["Device", "A", "B"], [], rows));
}

/** Says how many regions the device has at each step, and how it ended. */
async function realizeAgain(build: string, driver: string): Promise<string> {
  const session = await Session.start(build, [
    ...["-M", "virt", "-S", "-device", "pcie-root-port,id=root-port,chassis=1,slot=1"],
    ...["-device", `${driver},id=it,bus=root-port`],
  ]);
  const counts: number[] = [];
  try {
    counts.push(await regions(session));
    for (const value of [false, true])
      await session.command("qom-set", { path: PATH, property: "realized", value });
    counts.push(await regions(session));
    await session.command("device_del", { id: "it" });
    await session.command("query-status");
    return `${counts.join(", then ")} regions; survives`;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return `${counts.join(", then ")} regions; ${lastWords(error.message)}`;
  } finally {
    await session.kill();
  }
}

async function regions(session: Session): Promise<number> {
  const listed = await session.command("qom-list", { path: PATH });
  return [...JSON.stringify(listed).matchAll(/"child<(?:iommu-)?memory-region>"/g)].length;
}

/** What an emulator that ended said last, without the name of the program. */
export function lastWords(message: string): string {
  const [, ending = "", said = ""] = /(ended with \w+); it said: (.*)$/s.exec(message) ?? [];
  const last = said.trim().split("\n").at(-1) ?? "";
  return ending === ""
    ? message
    : `${ending}: ${last.replace(/^qemu-system-\w+: /, "").replace(/^(?:\.\.\/)+/, "")}`;
}
