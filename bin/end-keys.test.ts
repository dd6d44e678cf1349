/** Keys that end the emulator in a terminal: the same as in QEMU, whose monitor prompt may say so first. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { skipWithout } from "../workloads/testing/programs.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const command = join(root, "dist", "bin", "cli.js");
const guest = join(root, "workloads", "bare-metal", "bin", "hello.elf");
const MACHINE = ["-M", "virt", "-display", "none", "-bios", "none", "-kernel", guest, "-S"];
const OURS = [process.execPath, command, "run", ...MACHINE];
const THEIRS = ["qemu-system-riscv64", ...MACHINE];

/** Types a key in a terminal that the program has put into its own mode, or at the latest after 10 s. */
const TYPIST = `
import os, pty, select, signal, sys, termios, time
program, key = sys.argv[2:], bytes.fromhex(sys.argv[1])
pid, fd = pty.fork()
if pid == 0: os.execvp(program[0], program)
shown, typed, began = b"", None, time.time()
before = termios.tcgetattr(fd)
def ended():
    return os.waitpid(pid, os.WNOHANG)[0] != 0
over = False
while not over and time.time() - (typed or began + 8) < 2.5:
    if select.select([fd], [], [], 0.1)[0]:
        try: shown += os.read(fd, 4096)
        except OSError: pass
    raw = termios.tcgetattr(fd)[3] != before[3]
    if typed is None and time.time() - began > (1.5 if raw else 10):
        os.write(fd, key)
        typed = time.time()
    over = ended()
if not over:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
print("ends" if over else "goes on", "with" if b"(regionlab) " in shown or b"(qemu) " in shown else "without", "a prompt")
`;

let folder: string;
beforeAll(() => {
  if (!existsSync(command)) throw new Error(`${command} is missing; run npm run build first`);
  folder = mkdtempSync(join(tmpdir(), "regionlab-end-keys-"));
  writeFileSync(join(folder, "typist.py"), TYPIST);
});
afterAll(() => rmSync(folder, { recursive: true }));

function typed(key: string, program: readonly string[]): Promise<string> {
  const code = Buffer.from(key, "latin1").toString("hex");
  const child = spawn("python3", ["typist.py", code, ...program], { cwd: folder, timeout: 30_000 });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject).on("close", () => resolve(text.trim()));
  });
}

const WITHOUT = "ends without a prompt";
const CASES: readonly (readonly [words: string, end: string])[] = [
  ["-serial stdio -monitor none", WITHOUT],
  ["-chardev stdio,id=c -serial chardev:c -monitor none", WITHOUT],
  ["-chardev stdio,id=c,signal=on -serial chardev:c -monitor none", WITHOUT],
  ["-chardev stdio,id=c,signal=off -serial chardev:c -monitor none", "goes on without a prompt"],
  ["-nographic -serial file:log -monitor none", WITHOUT],
  ["-nographic -serial null -monitor none", WITHOUT],
  ["-nographic -serial none -monitor none", WITHOUT],
  ["-nographic -serial null", "ends with a prompt"],
  ["-nographic", "goes on without a prompt"],
  ["-nographic -serial mon:stdio", "goes on without a prompt"],
];

describe.each([
  ["Ctrl-C", "\x03"],
  ["Ctrl-\\", "\x1c"],
])("%s", (_name, key) => {
  beforeEach((test) => skipWithout(test, "python3", "python3"));
  it("ends a run with some serial ports, and belongs to the guest with others", async () => {
    const ends = await Promise.all(CASES.map(([words]) => typed(key, [...OURS, ...words.split(" ")])));
    expect(CASES.map(([words], i) => [words, ends[i]])).toEqual(CASES);
  }, 60_000);
});

describe("Ctrl-C and Ctrl-\\ in QEMU", () => {
  beforeEach((test) => {
    skipWithout(test, "python3", "python3");
    skipWithout(test, "qemu-system-riscv64", "qemu-system-misc");
  });
  it.each(["\x03", "\x1c"])(
    "do the same: %j",
    async (key) => {
      const ends = await Promise.all(CASES.map(([words]) => typed(key, [...THEIRS, ...words.split(" ")])));
      expect(CASES.map(([words], i) => [words, ends[i]])).toEqual(CASES);
    },
    60_000,
  );
});
