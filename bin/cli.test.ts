/** The command as a user calls it: a usage error gives one line, the documented exit code, and no partial output. */
import { type StdioOptions, spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const command = join(root, "dist", "bin", "cli.js");
const hello = join(root, "workloads", "bare-metal", "bin", "hello.elf");

let folder: string;
const at = (name: string) => join(folder, name);

beforeAll(() => {
  if (!existsSync(command)) throw new Error(`${command} is missing; run npm run build first`);
  folder = mkdtempSync(join(tmpdir(), "regionlab-cli-"));
  const elf = readFileSync(hello);
  writeFileSync(at("truncated.elf"), elf.subarray(0, 200));
  const foreign = Buffer.from(elf);
  foreign.writeUInt16LE(62, 18);
  writeFileSync(at("x86.elf"), foreign);
  writeFileSync(at("empty"), "");
  writeFileSync(at("large"), Buffer.alloc(3 * 2 ** 20));
  writeFileSync(at("not-json.json"), "hello");
  writeFileSync(at("foreign.json"), '{"name":"something else"}');
  writeFileSync(at("broken.ts"), "class {{{");
  writeFileSync(at("-x.ts"), "export const x = 1;\n");
  mkdirSync(at("no-devices"));
});

afterAll(() => rmSync(folder, { recursive: true }));

function regionlab(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], {
    cwd: folder,
    input: "",
    encoding: "utf8",
    timeout: 60_000,
  });
  return { status, stdout, stderr };
}

describe("tree takes what run takes", () => {
  /** Options of `run`, from its help, with a value that each takes. */
  const options = () =>
    [...regionlab("run", "--help").stdout.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)( <)?/gm)].map(
      ([, name = "", value]) => ({ name, takesValue: value !== undefined }),
    );
  const VALUES: Readonly<Record<string, string>> = {
    "--regions": "owned",
    "--references": "owner",
    "--machine": "virt",
    "--memory": "64M",
    "--smp": "2",
    "--cpu": "rv64",
    "--bios": hello,
    "--kernel": hello,
    "--append": "x",
    "--rtc": "base=utc",
    "--translate": "all",
    "--drive": "file=large,format=raw",
    "--device": "virtio-rng-device",
    "--global": "virtio-mmio.force-legacy=false",
    "--fw_cfg": "name=opt/x,string=y",
    "--chardev": "null,id=c",
    "--netdev": "user,id=n",
    "--serial": "null",
    "--until": "x",
    "--max-instructions": "7",
    "--timeout": "1",
    "--log": "unimp",
    "--log-file": "no-such-folder/log",
    "--gdb": "0",
  };
  const OUTPUTS = ["--stats", "--trace", "--trace-mmio", "--snapshot-out"];
  /** Those that need others beside them are tried on their own, and those that convert devices elsewhere. */
  const APART = ["--initrd", "--snapshot-in", "--convert", "--children", "--share", "--help"];

  it("each option, except the outputs of a run", { timeout: 120_000 }, () => {
    const found = options();
    expect(found.length).toBeGreaterThan(30);
    for (const { name, takesValue } of found) {
      if (APART.includes(name) || OUTPUTS.includes(name)) continue;
      const value = takesValue ? [VALUES[name] ?? `no value for ${name}`] : [];
      expect([name, regionlab("tree", "qom", name, ...value)]).toEqual([
        name,
        { status: 0, stdout: expect.stringMatching(/^\/machine/), stderr: "" },
      ]);
    }
    const initrd = regionlab("tree", "qom", "-kernel", hello, "-initrd", "large", "-S", "-s", "-no-reboot");
    expect(initrd).toMatchObject({ status: 0, stderr: "" });
  });

  it.each(OUTPUTS)("%s is refused as it was written, and help does not show it", (name) => {
    for (const spelling of [[name, "x"], [name.slice(1), "x"], [`${name}=x`]]) {
      if (spelling[0] === "-trace") continue; // which is QEMU's own
      const { status, stdout, stderr } = regionlab("tree", "qom", ...spelling);
      expect([status, stdout, stderr]).toEqual([
        2,
        "",
        `regionlab: ${spelling.join(" ")}: tree runs nothing, so there is nothing to write; leave it out, or give it to run\n`,
      ]);
    }
    expect(existsSync(at("x"))).toBe(false);
    expect(regionlab("tree", "--help").stdout).not.toContain(`${name} `);
  });

  it("values that mean nothing are refused by it, too", () => {
    for (const words of [
      ["--timeout", "x"],
      ["-d", "nix"],
      ["-gdb", "tcp::99999"],
      ["--max-instructions", "0"],
      ["--until", ""],
    ])
      expect(regionlab("tree", "qom", ...words)).toEqual(regionlab("run", "--kernel", hello, ...words));
  });

  it("shows the machine that --snapshot-in restores", () => {
    const machine = ["-kernel", hello, "-device", "virtio-serial-device"];
    regionlab("run", ...machine, "--max-instructions", "1000", "--snapshot-out", "state");
    const shown = regionlab("tree", "qtree", ...machine, "-snapshot-in", "state");
    expect(shown).toEqual(regionlab("tree", "qtree", ...machine));
    expect(shown.stderr).toBe("");
    expect(regionlab("tree", "qtree", "-kernel", hello, "-snapshot-in", "state")).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^regionlab: -snapshot-in state: .*start the machine with the options/),
    });
  });
});

describe("usage errors", () => {
  it.each<[string, string[], RegExp]>([
    ["nothing to run", ["run"], /give --kernel FILE, --bios FILE/],
    ["a missing file", ["run", "--kernel", "nowhere.elf"], /--kernel nowhere\.elf: no such file/],
    ["a folder", ["run", "--kernel", "no-devices"], /--kernel no-devices: not a file/],
    ["an empty file", ["run", "--kernel", "empty"], /--kernel empty: the file is empty/],
    ["a truncated ELF", ["run", "--kernel", "truncated.elf"], /truncated\.elf: truncated/],
    ["another architecture", ["run", "--kernel", "x86.elf"], /x86\.elf: an ELF file for x86-64/],
    ["too large an image", ["run", "--bios", "large", "-m", "2M"], /--bios large: occupies .* give more RAM/],
    ["images that overlap", ["run", "--bios", hello, "--kernel", hello], /overlaps --bios/],
    [
      "an initrd without a kernel",
      ["run", "--bios", hello, "--initrd", "large"],
      /there is no kernel to use it; give one, too/,
    ],
    ["an invalid size", ["run", "--kernel", hello, "-m", "lots"], /-m lots: not a size/],
    ["too much memory", ["run", "--kernel", hello, "-m", "16G"], /-m 16G: .*at most 3 GiB/],
    [
      "too many processors",
      ["run", "--kernel", hello, "-smp", "9"],
      /-smp 9: too many processors; give at most 8/,
    ],
    [
      "an unknown form",
      ["run", "--kernel", hello, "--regions", "stack"],
      /--regions stack: .*embedded, owned or heap/,
    ],
    ["an unknown machine", ["run", "--kernel", hello, "-M", "pc"], /-M pc: unknown machine; give virt/],
    ["an invalid count", ["run", "--kernel", hello, "--max-instructions", "-5"], /--max-instructions -5/],
    [
      "a file that is not a snapshot",
      ["run", "--kernel", hello, "--snapshot-in", "not-json.json"],
      /--snapshot-in not-json\.json: not a snapshot/,
    ],
    [
      "a missing snapshot",
      ["run", "--kernel", hello, "--snapshot-in", "nowhere"],
      /--snapshot-in nowhere: no such file/,
    ],
    ["an invalid port", ["run", "--kernel", hello, "--gdb", "70000"], /--gdb 70000: not a port; give 0 to/],
    [
      "a frozen machine without gdb",
      ["run", "--kernel", hello, "-S"],
      /the machine is stopped and standard input has ended, .* give --gdb/,
    ],
    [
      "an output in a missing folder",
      ["run", "--kernel", hello, "--stats", "no/where.json"],
      /no\/where\.json: its folder/,
    ],
    [
      "an unknown device",
      ["tree", "qom", "--device", "nic"],
      /--device nic: there is no device nic; give one of .*virtio-rng-device/,
    ],
    [
      "a drive without a file",
      ["tree", "qom", "-drive", "if=none,id=hd"],
      /-drive if=none,id=hd: file is missing; give file=/,
    ],
    [
      "a drive with a missing file",
      ["tree", "qom", "-drive", "file=nowhere.img"],
      /nowhere\.img: no such file; make one/,
    ],
    [
      "a drive that is a folder",
      ["tree", "qom", "-drive", "file=no-devices,readonly=on"],
      /no-devices: not a file/,
    ],
    [
      "an unknown property of a drive",
      ["tree", "qom", "-drive", "file=large,speed=9"],
      /property speed is unknown; there are .*file/,
    ],
    [
      "an image of another format",
      ["tree", "qom", "-drive", "file=large,format=qcow2"],
      /format=qcow2 cannot be used, only raw images can; convert it with qemu-img/,
    ],
    [
      "two drives with one id",
      ["tree", "qom", "-drive", "file=large,id=a", "-drive", "file=large,id=a"],
      /another -drive has the id a; give each its own/,
    ],
    [
      "a device with an unknown property",
      ["tree", "qom", "-device", "virtio-rng-device,speed=9"],
      /-device virtio-rng-device,speed=9: .* has no property speed; give one of any_layout, /,
    ],
    [
      "a device with an invalid property",
      ["tree", "qom", "-device", "virtio-rng-device,event_idx=2"],
      /property event_idx is 2; give true or false, or on or off/,
    ],
    [
      "a block device without a drive",
      ["tree", "qom", "-device", "virtio-blk-device"],
      /drive is not set; give drive=/,
    ],
    [
      "a missing bus",
      ["tree", "qom", "-device", "virtio-rng-device,bus=pci.0"],
      /there is no bus pci\.0; give one of .*virtio-mmio-bus\.7/,
    ],
    [
      "a full bus",
      ["tree", "qom", ...Array(2).fill(["-device", "virtio-rng-device,bus=virtio-mmio-bus.2"]).flat()],
      /bus virtio-mmio-bus\.2 is full; give another/,
    ],
    [
      "too many devices",
      ["tree", "qom", ...Array(9).fill(["-device", "virtio-rng-device"]).flat()],
      /every virtio-bus for it is full; leave out a device/,
    ],
    ["an invalid default", ["tree", "qom", "-global", "fast"], /-global fast: .*give driver\.property=value/],
    ["a default of an unknown device", ["tree", "qom", "-global", "nic.speed=9"], /there is no driver nic/],
    [
      "a default of an unknown property",
      ["tree", "qom", "-global", "virtio-mmio.speed=9"],
      /virtio-mmio has no property speed; give one of force-legacy/,
    ],
    ["a firmware file without content", ["tree", "qom", "-fw_cfg", "opt/x"], /give file= or string=/],
    [
      "an unknown backend",
      ["tree", "qom", "-chardev", "punchcard,id=a"],
      /punchcard,id=a: unknown kind of -chardev/,
    ],
    [
      "an unknown target for the serial port",
      ["run", "--kernel", hello, "-serial", "vc"],
      /-serial vc: the port cannot be connected to that; give mon:stdio, stdio, null, none, file:PATH/,
    ],
    [
      "two targets for one serial port",
      ["run", "--kernel", hello, "-serial", "null", "-serial", "stdio"],
      /-serial stdio: the board has one serial port, which -serial null already uses; give only one/,
    ],
    [
      "a serial port to a file without a name",
      ["run", "--kernel", hello, "-serial", "file:"],
      /-serial file:: it names no file; give file:PATH/,
    ],
    [
      "a serial port to a folder",
      ["run", "--kernel", hello, "-serial", "file:no-devices"],
      /-serial file:no-devices: is a folder; give a file/,
    ],
    [
      "a monitor without the terminal",
      ["run", "--kernel", hello, "-serial", "mon:null"],
      /-serial mon:null: the monitor can share only the terminal; give mon:stdio/,
    ],
    [
      "a serial port to a missing backend",
      ["run", "--kernel", hello, "-serial", "chardev:c0"],
      /-serial chardev:c0: there is no such -chardev; give -chardev KIND,id=c0/,
    ],
    [
      "a terminal with two lines",
      ["run", "--kernel", hello, "-serial", "stdio", "-chardev", "stdio,id=c0"],
      /-serial stdio: -chardev stdio,id=c0 already uses the terminal; give one of them another/,
    ],
    [
      "a backend with two lines",
      [
        ...["run", "--kernel", hello, "-serial", "chardev:c0", "-chardev", "null,id=c0"],
        ...["-device", "virtio-serial-device", "-device", "virtconsole,chardev=c0"],
      ],
      /property chardev is c0, which another device uses/,
    ],
    [
      "a flash bank of another size",
      ["tree", "qom", "-drive", "if=pflash,file=large"],
      /has 3145728 bytes, not 33554432/,
    ],
    [
      "a flash bank too many",
      ["tree", "qom", "-drive", "if=pflash,unit=2,file=large"],
      /-drive if=pflash,unit=2,file=large: there is no flash bank 2; give unit=0 to 1/,
    ],
    ["an unknown view", ["tree", "map"], /tree map: unknown view; give mtree, qom, qtree/],
    ["flat without mtree", ["tree", "qom", "--flat"], /--flat: only mtree has flat views/],
    ["an unknown suite", ["bench", "speed"], /bench speed: there is no such suite/],
    ["an unknown workload", ["bench", "--workload", "doom"], /--workload doom: there is no such guest/],
    ["a result that is not JSON", ["report", "not-json.json"], /not-json\.json: is not JSON/],
    ["a result of something else", ["report", "foreign.json"], /foreign\.json/],
    ["a missing result", ["report", "nowhere.json"], /nowhere\.json: does not exist/],
    ["a source that does not parse", ["codemod", "to-owned", "broken.ts"], /broken\.ts/],
    ["a folder without sources", ["codemod", "to-owned", "no-devices"], /no-devices: contains no TypeScript/],
    [
      "a file like an option",
      ["codemod", "to-owned", "-x.ts"],
      /if the file .* is meant, write -- before it/,
    ],
    [
      "a guest without its option",
      ["run", "guest.elf"],
      /too many arguments .*; give a guest as -kernel FILE, and a disk/,
    ],
    ["a missing source", ["audit", "nowhere.ts"], /nowhere\.ts: no such file/],
  ])("%s: exit code 2, one line with what, why and the fix", (_, args, message) => {
    const { status, stdout, stderr } = regionlab(...args);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split("\n").length).toBe(1);
    expect([status, stdout]).toEqual([2, ""]);
  });

  it("say nothing of files that do not exist, and take what follows --", () => {
    expect(regionlab("codemod", "to-owned", "-y.ts").stderr).not.toContain("write --");
    expect(regionlab("codemod", "to-owned", "--", "-x.ts").stderr).toMatch(/-x\.ts: no device found/);
  });

  it.each([[["run", "--speed"]], [["fly"]], [["tree"]], [[]]])(
    "%j: exit code 2 and a pointer to the help",
    (args) => {
      const { status, stderr } = regionlab(...args);
      expect(status).toBe(2);
      expect(stderr).toMatch(/--help|Usage/);
    },
  );

  it("leave no files behind", () => {
    const before = readdirSync(folder).sort();
    regionlab("run", "--kernel", "nowhere.elf", "--stats", "stats.json", "--trace-mmio", "trace.txt");
    regionlab("report", "not-json.json", "--format", "html", "-o", "report.html");
    expect(readdirSync(folder).sort()).toEqual(before);
  });

  it("show a stack trace only with --verbose", () => {
    expect(regionlab("run").stderr).not.toContain("run-command");
    expect(regionlab("--verbose", "run").stderr).toContain("run-command");
  });
});

describe("correct use", () => {
  it.each(["run", "tree"])("%s converts devices first, by options that it loads only then", (command) => {
    const words = command === "run" ? ["run"] : ["tree", "mtree"];
    for (const [option, complaint] of [
      ["--children=some", /option '--children <form>' argument 'some' is invalid/],
      ["--share", /option '--share <percent>' argument missing/],
      ["--convert", /option '--convert <pattern>' argument missing/],
    ] as const)
      expect(regionlab(...words, option).stderr).toMatch(complaint);
    expect(regionlab(command, "--help").stdout).toMatch(/--children.*--convert.*--share/s);
  });

  it.each([["--help"], ["--version"]])("%s: exit code 0", (option) => {
    const { status, stdout, stderr } = regionlab(option);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout.length).toBeGreaterThan(4);
  });

  it("run: prints the console, writes statistics and the trace, and repeats exactly", () => {
    const run = (form: string) => {
      const result = regionlab(
        "run",
        "--kernel",
        hello,
        "--regions",
        form,
        "--stats",
        `${form}.json`,
        "--trace-mmio",
        `${form}.txt`,
      );
      expect([result.status, result.stderr]).toEqual([0, ""]);
      const { phases, heap, regions, ...guest } = JSON.parse(readFileSync(at(`${form}.json`), "utf8"));
      expect(Object.keys(phases)).toEqual(["create", "load", "run", "destroy"]);
      expect([heap.blocksLeaked, regions]).toEqual([0, form]);
      return { ...guest, console: result.stdout, trace: readFileSync(at(`${form}.txt`), "utf8") };
    };
    const [embedded, owned] = [run("embedded"), run("owned")];
    expect(owned).toEqual(embedded);
    expect(embedded.console).toContain("2 checks, 0 failed");
    expect(embedded.trace.trimEnd().split("\n").length).toBe(embedded.mmioAccesses);
  });

  it("run: stops at a text or after a number of instructions", () => {
    expect(regionlab("run", "--kernel", hello, "--until", "Hello").stdout).toBe("Hello");
    regionlab("run", "--kernel", hello, "--max-instructions", "100", "--stats", "short.json");
    expect(JSON.parse(readFileSync(at("short.json"), "utf8"))).toMatchObject({
      instructions: 100,
      end: "instructions",
    });
  });

  it("run: redirects the serial port as QEMU's option says, and still hashes and watches it", () => {
    const run = (...args: string[]) => {
      const result = regionlab("run", "--kernel", hello, "--stats", "stats.json", ...args);
      expect([result.status, result.stderr]).toEqual([0, ""]);
      return {
        stdout: result.stdout,
        console: JSON.parse(readFileSync(at("stats.json"), "utf8")).consoleSha256,
      };
    };
    const plain = run();
    expect(plain.stdout).toContain("Hello");
    for (const where of ["mon:stdio", "stdio"]) expect(run("-serial", where)).toEqual(plain);
    for (const where of ["null", "none"]) expect(run("-serial", where)).toEqual({ ...plain, stdout: "" });
    expect(run("-serial", "file:serial.txt")).toEqual({ ...plain, stdout: "" });
    expect(readFileSync(at("serial.txt"), "latin1")).toBe(plain.stdout);
    run("-chardev", "file,id=log,path=serial.txt,append=on", "-serial", "chardev:log", "--until", "Hello");
    expect(readFileSync(at("serial.txt"), "latin1")).toBe(`${plain.stdout}Hello`);
    expect(run("-chardev", "stdio,id=tty", "-serial", "chardev:tty")).toEqual(plain);
  });

  it("run: continues from a snapshot in the other form as if it had never stopped", () => {
    const stats = (...args: string[]) => {
      const run = regionlab("run", "--kernel", hello, "--stats", "stats.json", ...args);
      expect([run.status, run.stderr]).toEqual([0, ""]);
      const { phases, heap, regions, ...guest } = JSON.parse(readFileSync(at("stats.json"), "utf8"));
      expect(heap.blocksLeaked).toBe(0);
      return { guest, stdout: run.stdout };
    };
    const whole = stats();
    const first = stats("--max-instructions", "500", "--snapshot-out", "half.snapshot");
    const second = stats("--regions", "owned", "--snapshot-in", "half.snapshot");
    expect(second.guest).toEqual(whole.guest);
    expect(first.stdout + second.stdout).toBe(whole.stdout);
    const other = regionlab("run", "--kernel", hello, "-m", "64M", "--snapshot-in", "half.snapshot");
    expect(other.status).toBe(2);
    expect(other.stderr).toMatch(/half\.snapshot: made with -m 256M; start the machine with/);
  });

  it("run: writes every instruction executed", () => {
    const { status } = regionlab(
      "run",
      "--kernel",
      hello,
      "--max-instructions",
      "200",
      "--trace",
      "trace.txt",
    );
    const lines = readFileSync(at("trace.txt"), "utf8").trimEnd().split("\n");
    expect([status, lines.length, lines[0]?.slice(0, 30)]).toEqual([
      0,
      200,
      "0 M 0000000000001000: 00000297",
    ]);
  });

  it.each<[string, string[]]>([
    ["codemod", ["codemod", "to-owned", join(root, "emulator/hw/embedded/rtc/goldfish-rtc.ts")]],
    ["audit", ["audit", join(root, "emulator/hw/embedded/rtc/goldfish-rtc.ts")]],
    ["c", ["c", "to-owned", join(root, "codemods/c/fixtures/name-null.c")]],
    ["claims", ["claims", "C1"]],
  ])("%s: colours only on a terminal, unless FORCE_COLOR or NO_COLOR say otherwise", (_, words) => {
    for (const [env, expected] of [
      [{}, false],
      [{ FORCE_COLOR: "1" }, true],
      [{ FORCE_COLOR: "0" }, false],
      [{ FORCE_COLOR: "1", NO_COLOR: "1" }, false],
      [{ FORCE_COLOR: "1", NO_COLOR: "" }, true],
    ] as const) {
      const bare = Object.entries(process.env).filter(([name]) => !/^(FORCE|NO)_COLOR$/.test(name));
      const { stdout, stderr } = spawnSync(process.execPath, [command, ...words], {
        encoding: "utf8",
        env: { ...Object.fromEntries(bare), ...env },
      });
      expect({ env, colours: `${stdout}${stderr}`.includes("\u001b[") }).toEqual({ env, colours: expected });
    }
  });

  it("run: standard input that cannot be read, as under nohup, is none", () => {
    const file = at("written");
    for (const words of [[], ["--max-instructions", "1000"], ["-serial", "null"]]) {
      const fd = openSync(file, "w");
      const stdio: StdioOptions = [fd, "pipe", "pipe"];
      const all = [command, "run", "-kernel", hello, ...words];
      const { status, stderr } = spawnSync(process.execPath, all, { encoding: "utf8", stdio });
      closeSync(fd);
      expect({ words, status, stderr }).toEqual({ words, status: 0, stderr: "" });
    }
  });

  it("run -S: a pipe can continue the machine; if it ends first, the run does, with an error", () => {
    const stopped = (input: string) =>
      spawnSync(process.execPath, [command, "run", "-kernel", hello, "-S", "-gdb", "none"], {
        encoding: "utf8",
        input,
      });
    const { status, stdout, stderr } = stopped("\u0001ccont\n");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/\b0 failed/);
    for (const input of ["", "never seen by the guest\n", "\u0001cinfo status\n"]) {
      const ended = stopped(input);
      expect(ended.stderr).toBe(
        "regionlab: the machine is stopped and standard input has ended, so nobody can continue it; send Ctrl-A C and cont, or give -gdb\n",
      );
      expect(ended.status).toBe(2);
    }
    expect(stopped("\u0001cinfo status\n").stdout).toContain("VM status: paused");
  });

  it("tree: shows the same machine in both forms", () => {
    for (const view of [["mtree"], ["mtree", "--flat"], ["qtree"], ["qom"]]) {
      const [embedded, owned] = ["embedded", "owned"].map((form) =>
        regionlab("tree", ...view, "--regions", form),
      );
      expect(embedded?.status).toBe(0);
      expect(owned).toEqual(embedded);
    }
  });
});
