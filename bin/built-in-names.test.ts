/** Names that every JavaScript object has are words like any other: no table may find them in a user's input. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { CommandError } from "#host";
import { parseUserNetwork } from "../emulator/backends/net/user/index.ts";
import { fromQemu } from "../emulator/machine/options/qemu-words.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const NAMES = Object.getOwnPropertyNames(Object.prototype);

describe("QEMU's words", () => {
  const KNOWN = new Set(["kernel", "machine", "device"]);
  /** Command lines, and what their translation is or what is wrong with them. */
  const LINES = (name: string): [string[], RegExp | string][] => [
    [[`--${name}`], `--${name}`],
    [[`--${name}=1`], `--${name}=1`],
    [[`-${name}`], /^-\S+: unknown option/],
    [[`-${name}`, "x"], /^-\S+: unknown option/],
    ...["1", "off", "x"].map((value): [string[], RegExp] => [
      ["-M", `virt,${name}=${value}`],
      new RegExp(`^-M virt,${name}=${value}: property ${name} is unknown; there are accel, `),
    ]),
    [["-M", name], `--machine ${name}`],
    [["-m", `512M,${name}=1`], new RegExp(`^-m .*: property ${name} is unknown`)],
    [["-smp", `2,${name}=1`], new RegExp(`^-smp .*: property ${name} is unknown`)],
    [["-cpu", name], /there is only one kind of processor/],
    [["-cpu", `rv64,${name}=on`], new RegExp(`property ${name}`)],
    [["-nic", name], /the only network is/],
    [["-device", `${name},drive=${name}`], `--device ${name},drive=${name}`],
    [
      ["-blockdev", `driver=file,filename=f,node-name=a,${name}=1`],
      new RegExp(`property ${name} is unknown`),
    ],
  ];

  it.each(NAMES)("%s", (name) => {
    for (const [words, expected] of LINES(name)) {
      let found: string;
      try {
        const translation = fromQemu(words, KNOWN);
        found = translation.words.join(" ");
        translation.asWritten(found);
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        found = error.message;
      }
      if (typeof expected === "string") expect(found).toBe(expected);
      else expect(found).toMatch(expected);
    }
  });
});

it.each(NAMES)("a network's property %s", (name) => {
  expect(() => parseUserNetwork([[name, "1"]])).toThrow(`${name}: user-mode networks have no such option`);
});

describe("the command", () => {
  const command = join(root, "dist", "bin", "cli.js");
  it.each(["constructor", "__proto__"])(
    "says in a line what is wrong with %s",
    (name) => {
      const lines = [
        ["run", `--${name}`],
        ["run", `-${name}`, "x"],
        ["run", "-bios", "none", "-device", name],
        ["run", "-bios", "none", "-device", `virtio-net-device,${name}=1`],
        ["run", "-bios", "none", "-global", `virtio-net-device.${name}=1`],
        ["run", "-bios", "none", "-netdev", `${name},id=a`],
        ["run", "-bios", "none", "-netdev", `user,id=a,${name}=1`],
        ["run", "-bios", "none", "-chardev", `null,id=a,${name}=1`],
        ["run", "-bios", "none", "-drive", `file=f,${name}=1`],
        ["run", "-bios", "none", "-d", name],
        ["run", "-bios", "none", "-rtc", `${name}=1`],
        ["tree", "qtree", `--${name}`],
        ["tree", name],
        ["completion", name],
        ["bench", name],
        ["bench", `--${name}`],
        ["results", name],
        ["c", name],
        [name],
      ];
      for (const words of lines) {
        const { status, stderr } = spawnSync(process.execPath, [command, ...words], {
          input: "",
          encoding: "utf8",
          timeout: 60_000,
        });
        expect([words, status, stderr]).toEqual([words, 2, expect.stringMatching(/^regionlab: [^\n]*\n$/)]);
        expect(stderr).not.toMatch(/this is a bug|native code|not a function/);
      }
    },
    120_000,
  );
});

it("looks words up in maps, not in objects", () => {
  const sources = ["bin", "bench", "codemods", "emulator", "results", "workloads"]
    .flatMap((room) =>
      readdirSync(join(root, room), { recursive: true, encoding: "utf8" }).map((path) => join(room, path)),
    )
    .filter((path) => /(?<!\.test|\.d)\.ts$/.test(path) && !/fixtures|testing/.test(path));
  expect(sources.length).toBeGreaterThan(300);
  const lookups = sources.flatMap((path) => {
    const text = readFileSync(join(root, path), "utf8");
    const tables = [...text.matchAll(/^(?:export )?const (\w+): (?:Readonly<)?Record<string,/gm)];
    return tables.flatMap(([, name = ""]) =>
      new RegExp(`(?<![.\\w])${name}\\[| in ${name}\\b`).test(text) ? [`${path}: ${name}`] : [],
    );
  });
  expect(lookups).toEqual([]);
});
