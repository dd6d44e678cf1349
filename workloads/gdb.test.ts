/** The real gdb-multiarch at our stub, and the same commands at QEMU's: it must say the same. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it, type TestContext } from "vitest";

const GDB = "gdb-multiarch";
const GCC = "riscv64-unknown-elf-gcc";
const QEMU = "qemu-system-riscv64";
const COMMAND = fileURLToPath(new URL("../dist/bin/cli.js", import.meta.url));
const PATIENCE_MS = 60_000;

/** Counts in a register and in memory; the trap handler counts illegal instructions. */
const PROGRAM = `
    .globl _start, loop, work, counter, trapped, on_trap
_start:
    la t0, on_trap
    csrw mtvec, t0
    la sp, stack_end
    li s0, 0
loop:
    addi s0, s0, 1
    la t0, counter
    sd s0, 0(t0)
    call work
    j loop
work:
    addi sp, sp, -16
    sd ra, 8(sp)
    la t1, counter
    lw a0, 0(t1)
    .4byte 0
    ld ra, 8(sp)
    addi sp, sp, 16
    ret
    .balign 4
on_trap:
    csrr t2, mepc
    addi t2, t2, 4
    csrw mepc, t2
    la t2, trapped
    ld t3, 0(t2)
    addi t3, t3, 1
    sd t3, 0(t2)
    mret
    .balign 4096
counter: .8byte 0
trapped: .8byte 0
    .balign 16
    .skip 256
stack_end:
`;

/** Every line that they print must be the same at both. */
const COMMANDS = [
  'printf "start %lx\\n", $pc',
  "break work",
  "continue",
  'printf "work %lx s0=%ld counter=%ld\\n", $pc, $s0, *(long*)&counter',
  "stepi",
  "stepi",
  'printf "stepped %lx sp=%lx saved ra=%lx\\n", $pc, $sp, *(long*)($sp+8)',
  "x/3i $pc",
  "continue",
  "continue",
  'printf "third %ld mcause=%lx mtvec=%lx\\n", $s0, $mcause, $mtvec',
  "delete",
  "watch *(long*)&counter",
  "continue",
  'printf "written %lx %ld\\n", $pc, *(long*)&counter',
  "delete",
  "rwatch *(int*)&counter",
  "continue",
  'printf "read %lx a0=%ld\\n", $pc, $a0',
  "delete",
  "awatch *(long*)&trapped",
  "continue",
  'printf "accessed %lx mepc=%lx\\n", $pc, $mepc',
  "delete",
  "hbreak on_trap",
  "continue",
  'printf "trap %lx mcause=%lx priv=%d\\n", $pc, $mcause, $priv',
  "set $s0 = 1000",
  "set *(long*)&counter = 77",
  "set $fa0.double = 1.5",
  'printf "float %g %lx\\n", $fa0.double, $fa0.double == 1.5',
  "set $mscratch = 0x1234567890abcdef",
  'printf "set %ld %ld %lx\\n", $s0, *(long*)&counter, $mscratch',
  "delete",
  "tbreak work",
  "continue",
  'printf "again %lx s0=%ld counter=%ld\\n", $pc, $s0, *(long*)&counter',
  // Code that is written from outside is executed as written: addi s0,s0,1 becomes addi s0,s0,2.
  "set *(short*)&loop = 0x0409",
  "tbreak work",
  "continue",
  'printf "patched s0=%ld\\n", $s0',
  "output *(char*)0x5",
];

let folder: string;
const at = (name: string) => join(folder, name);
const children: ChildProcess[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "regionlab-gdb-"));
});

afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

function needs(test: TestContext, ...programs: string[]): void {
  for (const program of programs) {
    const found = spawnSync(program, ["--version"], { stdio: "ignore" }).error === undefined;
    test.skip(!found, `${program} is not installed`);
  }
}

function build(): void {
  writeFileSync(at("program.S"), PROGRAM);
  const options = ["-nostdlib", "-march=rv64imac_zicsr", "-mabi=lp64"];
  const link = "-Wl,-Ttext=0x80000000,--no-relax,-N,--no-warn-rwx-segments";
  execFileSync(GCC, [...options, link, "-o", at("program.elf"), at("program.S")]);
}

/** Starts our machine, stopped, and answers the port that it says. */
async function startOurs(...options: string[]): Promise<{ child: ChildProcess; port: string }> {
  const child = spawn(
    process.execPath,
    [COMMAND, "run", "--kernel", at("program.elf"), "--gdb", "0", ...options],
    {
      stdio: ["pipe", "pipe", "pipe"],
    },
  );
  children.push(child);
  const port = await new Promise<string>((resolve, reject) => {
    let said = "";
    child.stderr?.on("data", (text) => {
      said += text;
      const [, found] = /127\.0\.0\.1:(\d+)/.exec(said) ?? [];
      if (found !== undefined) resolve(found);
    });
    child.once("exit", () => reject(new Error(`ended: ${said}`)));
  });
  return { child, port };
}

/** What gdb prints for these commands, each line. */
async function gdb(target: string, commands: readonly string[]): Promise<string[]> {
  const script = [`target remote ${target}`, ...commands];
  const child = spawn(
    GDB,
    [
      "-nx",
      "-batch",
      "-ex",
      "set confirm off",
      ...script.flatMap((each) => ["-ex", each]),
      at("program.elf"),
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  children.push(child);
  let said = "";
  child.stdout.on("data", (text) => {
    said += text;
  });
  child.stderr.on("data", (text) => {
    said += text;
  });
  const patience = globalThis.setTimeout(() => child.kill(), PATIENCE_MS);
  await new Promise((resolve) => child.once("close", resolve));
  clearTimeout(patience);
  return said.split("\n").filter((line) => line.trim() !== "");
}

it("breaks, steps, watches, reads and writes as with QEMU", async (test) => {
  needs(test, GDB, GCC, QEMU);
  build();
  const qemu = spawn(
    QEMU,
    [
      "-M",
      "virt",
      "-m",
      "256M",
      "-bios",
      "none",
      "-display",
      "none",
      "-serial",
      "null",
      "-monitor",
      "none",
      "-S",
    ].concat(["-kernel", at("program.elf"), "-gdb", `unix:${at("socket")},server=on,wait=off`]),
    { stdio: "ignore" },
  );
  children.push(qemu);
  await untilAnswering(at("socket"));
  const theirs = await gdb(at("socket"), [...COMMANDS, "kill"]);
  const { child, port } = await startOurs("-S");
  const ours = await gdb(`:${port}`, [...COMMANDS, "kill"]);
  expect(ours.map(withoutPlace)).toEqual(theirs.map(withoutPlace));
  expect(ours.filter((line) => /^(written|read|accessed|trap|patched) /.test(line)).length).toBe(5);
  await new Promise((resolve) => (child.exitCode === null ? child.once("exit", resolve) : resolve(0)));
  expect(child.exitCode).toBe(0);
}, 240_000);

it("interrupts a running guest, passes monitor commands on, detaches, and lets it go on to its end", async (test) => {
  needs(test, GDB, GCC);
  build();
  const { child, port } = await startOurs("--max-instructions", "30000000");
  const said = await gdb(`:${port}`, [
    "info threads",
    "monitor info status",
    'printf "at %d\\n", $pc >= 0x1000',
    "detach",
  ]);
  expect(said.join("\n")).toMatch(/\* 1 .*Thread 1.*CPU#0/);
  expect(said.join("\n")).toContain("VM status: paused");
  expect(said).toContain("at 1");
  await new Promise((resolve) => (child.exitCode === null ? child.once("exit", resolve) : resolve(0)));
  expect(child.exitCode).toBe(0);
}, 120_000);

/** Where a target is reached differs; so does how the two speak of its end. */
function withoutPlace(line: string): string {
  return line.replace(/^\[Inferior .*\]$/, "[ended]").replace(/Thread [\d.]+ (\(.*?\) )?/, "Thread 1 ");
}

async function untilAnswering(socket: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const connected = await new Promise<boolean>((resolve) => {
      const probe = createConnection(socket, () => {
        probe.destroy();
        resolve(true);
      }).once("error", () => resolve(false));
    });
    if (connected) return;
    await setTimeout(50);
  }
  throw new Error("QEMU does not answer");
}
