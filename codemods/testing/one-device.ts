/** Converts the body of one device, for tests that are about a few statements. */
import type { Project } from "ts-morph";
import { runCodemodOn } from "../harness.ts";
import type { Direction } from "../regions/facts.ts";
import { newProject } from "../source/workspace.ts";
import { fixtures } from "./golden-project.ts";

const head = `import { MemoryRegion, type MemoryRegionOps } from "#memory";
import { SysBusDevice } from "#qdev";

const ops: MemoryRegionOps<unknown> = { read: () => 0, write: () => {} };
`;

/** The outcome for a device: `region: reason` of every refusal, and the text after the conversion. */
export interface DeviceOutcome {
  readonly refusals: readonly string[];
  readonly text: string;
}

/** Converts many devices of a test with one parsed project. */
export class DeviceConverter {
  private readonly project: Project = newProject();

  /** `body` are the members of the class; `around` is code beside it. */
  convert(direction: Direction, body: string, around = "", base = "SysBusDevice"): DeviceOutcome {
    const text = `${head}${around}\nexport class Dut extends ${base} {\n${body}\n}\n`;
    const options = { directory: fixtures, project: this.project };
    const { texts, sites } = runCodemodOn({ "device-under-test.ts": text }, direction, options);
    return {
      refusals: sites.flatMap(({ region, reason }) => (reason === undefined ? [] : `${region}: ${reason}`)),
      text: texts.get("device-under-test.ts") ?? "",
    };
  }
}
