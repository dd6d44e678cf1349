/** `regionlab codemod … --prove`. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { CodemodOptions } from "../command.ts";
import { ExitCode } from "../errors.ts";
import type { Plan } from "../passes/4-plan.ts";
import { runCodemod } from "../run.ts";
import { proofReport, provePlan } from "./report.ts";

vi.mock("./report.ts", { spy: true });

const EMULATOR = join(import.meta.dirname, "../../emulator");
const COMPONENTS = ["qom", "memory", "qdev"];

const timer = `import { MemoryRegion, type MemoryRegionOps } from "#memory";
import { SysBusDevice } from "#qdev";

const ops: MemoryRegionOps<unknown> = { read: () => 1, write: () => {}, endianness: "little" };

export class Timer extends SysBusDevice {
  static override readonly typeName: string = "timer";

  private readonly iomem = this.embed(MemoryRegion);

  protected override realize(): void {
    this.iomem.initIo(this, ops, this, "timer", 0x100);
    this.initMmio(this.iomem);
  }
}
`;

let root: string;
let printed: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "prove-"));
  for (const name of COMPONENTS) {
    cpSync(join(EMULATOR, name), join(root, name), {
      recursive: true,
      filter: (path) => !path.endsWith(".test.ts"),
    });
  }
  const imports = Object.fromEntries(
    COMPONENTS.map((name) => [`#${name}`, { source: `./${name}/index.ts` }]),
  );
  writeFileSync(join(root, "package.json"), JSON.stringify({ name: "devices", type: "module", imports }));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));
beforeEach(() => {
  printed = "";
  writeFileSync(join(root, "timer.ts"), timer);
});

const codemod = (options: CodemodOptions) =>
  runCodemod("to-owned", [join(root, "timer.ts")], { prove: true, ...options }, (text) => {
    printed += text;
  });

describe("--prove", () => {
  test("says what was proved, and changes nothing by itself", async () => {
    expect(await codemod({})).toBe(ExitCode.Done);
    expect(printed).toMatch(/timer\.ts: Timer: equal in \d+ steps\n/);
    expect(printed).toContain("1 device proved equal, 0 different, 0 not driven\n");
    expect(readFileSync(join(root, "timer.ts"), "utf8")).toBe(timer);
  });

  test("works with --check and with --write", async () => {
    expect(await codemod({ check: true })).toBe(ExitCode.No);
    expect(await codemod({ write: true, allowDirty: true })).toBe(ExitCode.Done);
    expect(readFileSync(join(root, "timer.ts"), "utf8")).toContain("MemoryRegion.newIo");
    printed = "";
    expect(await codemod({ check: true })).toBe(ExitCode.Done);
    expect(printed).toContain("0 devices proved equal");
  });

  test("a device that differs stops everything", async () => {
    const difference = {
      life: "plain life",
      step: "plug",
      what: "windows",
      before: "one",
      after: "none",
    } as const;
    vi.mocked(provePlan).mockResolvedValueOnce([
      {
        file: join(root, "timer.ts"),
        className: "Timer",
        verdict: "different",
        differences: [difference],
        notes: [],
        steps: 0,
      },
    ]);
    expect(await codemod({ write: true, allowDirty: true })).toBe(ExitCode.Different);
    expect(printed).toContain("plain life: plug: windows\n    before: one\n    after:  none\n");
    expect(readFileSync(join(root, "timer.ts"), "utf8")).toBe(timer);
  });

  test("goes into the JSON report", async () => {
    await codemod({ json: "-" });
    const { proofs } = JSON.parse(printed) as { proofs: unknown }; // the report that was just printed
    expect(proofs).toMatchObject([{ className: "Timer", verdict: "equal", differences: [] }]);
  });
});

describe("the report of proofs", () => {
  const plan = (before: string, after: string): Plan => ({
    direction: "to-owned",
    subject: "regions",
    notUtf8: [],
    files: [
      {
        path: join(root, "timer.ts"),
        sha256: "",
        before,
        after,
        edits: [],
        sites: [],
        notes: [],
        deviceCount: 1,
      },
    ],
  });

  test("shows the first differences with both sides, and says that nothing is written", async () => {
    const proofs = await provePlan(plan(timer, timer.replace("0x100", "0x80")));
    const report = proofReport(proofs);
    expect(report).toMatch(
      /timer\.ts: Timer: different\n {2}plain life: plug: region tree\n {4}before: .*0x100 bytes/,
    );
    expect(report).toMatch(/and \d+ more differences\n/);
    expect(report).toContain("0 devices proved equal, 1 different, 0 not driven; nothing is written\n");
  });

  test("shows what could not be driven", async () => {
    const broken = timer.replace("this.initMmio(this.iomem);", 'throw new Error("no clock");');
    const report = proofReport(await provePlan(plan(broken, `${broken}//\n`)));
    expect(report).toContain(
      "Timer: not driven, so nothing is proved: plain life: plug throws Error: no clock\n",
    );
  });
});
