import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CommandError, HelpRequest } from "#host";
import { type HardwareArguments, parseHardwareOptions } from "./hardware-options.ts";

const NOTHING: HardwareArguments = { drive: [], device: [], global: [], fw_cfg: [], chardev: [], netdev: [] };
const parse = (given: Partial<HardwareArguments>) => parseHardwareOptions({ ...NOTHING, ...given });

describe("numbers of drives", () => {
  const interfaces = fc.constantFrom("none", "virtio", "pflash");
  const number = fc.record({ name: fc.constantFrom("unit", "index"), value: fc.nat(4) });
  const drives = fc.array(fc.record({ kind: interfaces, number: fc.option(number) }), { maxLength: 8 });

  it("belong to one drive of an interface each, and are given out in order, as in QEMU", () => {
    fc.assert(
      fc.property(drives, (list) => {
        const taken: Record<string, number[]> = { none: [], virtio: [], pflash: [] };
        let refused = false;
        for (const { kind, number } of list) {
          const own = taken[kind] ?? [];
          const free = [0, 1, 2, 3, 4, 5, 6, 7, 8].find((each) => !own.includes(each)) ?? 9;
          const value = number?.value ?? free;
          refused ||= own.includes(value);
          own.push(value);
        }
        const texts = list.map(
          ({ kind, number }) =>
            `if=${kind},file=f${number === null ? "" : `,${number.name}=${number.value}`}`,
        );
        if (refused)
          expect(() => parse({ drive: texts })).toThrow(/another drive with if=\w+ has the (unit|index) \d/);
        else
          for (const [kind, units] of Object.entries(taken))
            expect(
              parse({ drive: texts }).drives.flatMap((each) => (each.interface === kind ? [each.unit] : [])),
            ).toEqual(units);
      }),
    );
  });

  it.each([
    [
      "file=f,unit=1,index=1",
      "-drive file=f,unit=1,index=1: unit and index are the same number; give only one",
    ],
    ["file=f,unit=x", "-drive file=f,unit=x: unit=x is not a number; give unit=0, or another"],
    ["file=f,unit=08", "-drive file=f,unit=08: unit=08 is not a number; give unit=0, or another"],
    ["file=f,index=-1", "-drive file=f,index=-1: index=-1 is not a number; give index=0, or another"],
    ["file=f,readonly=on,read-only=off", "readonly and read-only are the same; give only one of them"],
    [
      "file=f,werror=stop",
      "-drive file=f,werror=stop: werror=stop: errors of files are reported to the guest",
    ],
    ["file=f,detect-zeroes=maybe", "give detect-zeroes=off, detect-zeroes=on, detect-zeroes=unmap"],
  ])("%s is refused", (text, message) => {
    expect(() => parse({ drive: [text] })).toThrow(message);
  });
});

describe("-drive", () => {
  it.each([
    ["readonly=on", true],
    ["read-only=on", true],
    ["readonly=off", false],
    ["read-only=off", false],
    ["readonly=yes", true],
    ["readonly=true", true],
    ["read-only=n", false],
    ["readonly", true],
    ["noreadonly", false],
    ["media=disk", false],
    ["media=cdrom", true],
    ["media=cdrom,readonly=off", true],
  ])("%s", (word, readOnly) => {
    expect(parse({ drive: [`file=f,${word}`] }).drives).toMatchObject([{ readOnly }]);
  });

  it.each(["format", "driver"])("%s of another kind of image is not to be taken for raw", (name) => {
    for (const kind of ["qcow2", "vmdk", "qcow", "anything"])
      expect(() => parse({ drive: [`file=f,${name}=${kind}`] })).toThrow(
        `${name}=${kind} cannot be used, only raw images can; convert it with qemu-img convert -O raw, and give the result with ${name}=raw`,
      );
  });

  it("takes a file with its protocol, and the only bus", () => {
    expect(parse({ drive: ["file=file:f,bus=0,unit=3"] }).drives).toMatchObject([{ file: "f", unit: 3 }]);
  });

  it("leaves out how the host reaches the file", () => {
    const host =
      "cache.direct=on,cache.no-flush=off,detect-zeroes=unmap,locking=auto,rerror=report,werror=report";
    expect(parse({ drive: [`file=f,${host},auto-read-only=on`] }).drives).toMatchObject([{ file: "f" }]);
  });
});

describe("-global", () => {
  it.each([
    ["virtio-mmio.force-legacy=false", ["virtio-mmio", "force-legacy", "false"]],
    ["cfi.pflash01.width=4", ["cfi.pflash01", "width", "4"]],
    ["a.b=c.d=e", ["a", "b", "c.d=e"]],
    ["driver=a.b,property=c,value=d", ["a.b", "c", "d"]],
    ["a.b=", ["a", "b", ""]],
  ])("%s", (text, [driver, property, value]) => {
    expect(parse({ global: [text] }).globals).toEqual([{ text: `-global ${text}`, driver, property, value }]);
  });

  it.each([
    ["x", "-global x: not a property of a driver; give driver.property=value"],
    ["", "-global '': not a property of a driver; give driver.property=value"],
    ["x=1", "-global x=1: not a property of a driver; give driver.property=value"],
    ["driver=x", "-global driver=x: property is missing; give property="],
    ["driver=x,property=y", "-global driver=x,property=y: value is missing; give value="],
    [
      "driver=x,property=y,value=1,z=2",
      "-global driver=x,property=y,value=1,z=2: property z is unknown; there are driver, property, value",
    ],
  ])("%j is refused", (text, message) => {
    expect(() => parse({ global: [text] })).toThrow(new CommandError(message));
  });
});

describe("help", () => {
  const help = (given: Partial<HardwareArguments>): string => {
    try {
      parse(given);
    } catch (error) {
      if (error instanceof HelpRequest) return error.text;
      throw error;
    }
    throw new Error("there is none");
  };

  it.each<[Partial<HardwareArguments>, string[]]>([
    [
      { drive: ["help"] },
      ["drive options:", "file=<value>", "format=raw", "if=none|virtio|pflash", "readonly=on|off"],
    ],
    [{ drive: ["file=nowhere,format=help"] }, ["Supported values of format: raw"]],
    [{ drive: ["if=?"] }, ["Supported values of if: none virtio pflash"]],
    [{ fw_cfg: ["help"] }, ["fw_cfg options:", "name=<value>", "file=<value>", "string=<value>"]],
    [{ global: ["help"] }, ["global options:", "driver=<value>", "property=<value>", "value=<value>"]],
  ])("%j", (given, lines) => {
    for (const line of lines) expect(help(given)).toContain(line);
  });
});
