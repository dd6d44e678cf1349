import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type DebianFolders, debianFolders } from "./debian.ts";
import { EDK2_CODE } from "./edk2.ts";
import { main } from "./fetch.ts";
import { type FirmwareFolders, firmwareFolders, locateFirmware, OPENSBI, U_BOOT } from "./firmware.ts";
import { type PackagedFile, verify } from "./packages.ts";
import { placeDebian } from "./testing/debian-files.ts";

let scratch: string;
let folders: FirmwareFolders;
let debian: DebianFolders;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "regionlab-firmware-"));
  folders = { root: join(scratch, "root"), unpacked: join(scratch, "cache", "debian") };
  debian = { unpacked: join(scratch, "cache", "debian-13") };
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(scratch, { recursive: true });
});

function place(folder: string, file: PackagedFile): string {
  const path = join(folder, file.path);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, file.package);
  return path;
}

describe("locateFirmware", () => {
  it("prefers an installed file to an unpacked one", () => {
    const bios = place(folders.root, OPENSBI);
    place(folders.unpacked, OPENSBI);
    const kernel = place(folders.unpacked, U_BOOT);
    expect(locateFirmware(folders)).toEqual({ found: true, bios, kernel });
  });

  it("names the missing file and the fix", () => {
    place(folders.root, OPENSBI);
    const firmware = locateFirmware(folders);
    expect(firmware).toEqual({ found: false, reason: expect.stringMatching(/^\S+u-boot\.bin missing/) });
    expect(firmware).toEqual({ found: false, reason: expect.stringContaining("npm run workloads:fetch") });
  });

  it("unpacks packages to REGIONLAB_CACHE", () => {
    expect(firmwareFolders({ REGIONLAB_CACHE: "/somewhere" }).unpacked).toBe("/somewhere/debian");
    expect(firmwareFolders({}).unpacked).toMatch(/\.cache\/regionlab\/debian$/);
    expect(debianFolders({ REGIONLAB_CACHE: "/somewhere" }).unpacked).toBe("/somewhere/debian-13");
  });
});

describe("fetch", () => {
  it("has nothing to do if the packages are installed", () => {
    const print = vi.spyOn(console, "log").mockReturnValue();
    const paths = [place(folders.root, OPENSBI), place(folders.root, U_BOOT)];
    const { kernel } = placeDebian(debian.unpacked);
    expect(main([], folders, debian)).toBe(0);
    expect(print.mock.calls.map(([line]) => String(line).split(/ +/).at(-1))).toEqual([
      ...paths,
      kernel,
      join(debian.unpacked, EDK2_CODE.path),
    ]);
  });

  it("says what to do without apt-get, and leaves nothing behind", () => {
    const complain = vi.spyOn(console, "error").mockReturnValue();
    vi.stubEnv("PATH", scratch);
    const old = place(folders.unpacked, OPENSBI);
    const cache = dirname(folders.unpacked);
    expect(main([], folders, debian)).toBe(1);
    expect(complain.mock.calls).toEqual([
      [expect.stringContaining("apt-get is not on this computer (not Debian?): build OpenSBI")],
      [
        expect.stringContaining(
          "apt-get is not on this computer (not Debian?): unpack the packages debian-installer-13",
        ),
      ],
    ]);
    expect(readdirSync(cache)).toEqual(["debian"]);
    expect(existsSync(old)).toBe(true);
  });

  it("says where it could not write", () => {
    const complain = vi.spyOn(console, "error").mockReturnValue();
    vi.spyOn(console, "log").mockReturnValue();
    const file = join(scratch, "file");
    writeFileSync(file, "");
    placeDebian(debian.unpacked);
    expect(main([], { ...folders, unpacked: join(file, "debian") }, debian)).toBe(1);
    expect(complain.mock.calls).toEqual([[expect.stringMatching(/cannot write to .*set REGIONLAB_CACHE/)]]);
  });

  it("refuses an unknown option", () => {
    const complain = vi.spyOn(console, "error").mockReturnValue();
    expect(main(["--dowload"], folders, debian)).toBe(2);
    expect(complain.mock.calls).toEqual([[expect.stringContaining("unknown option --dowload")]]);
  });

  it("checks each file against the checksums of its package", () => {
    const path = place(folders.unpacked, OPENSBI);
    // `printf opensbi | md5sum`
    const good = `0123  usr/share/doc/other\n61acac96639e7cb4c4c2bd636f5afdb2  ${OPENSBI.path}\n`;
    expect(() => verify(OPENSBI, path, good.replace("61ac", "71ac"))).toThrow("is damaged");
    expect(() => verify(OPENSBI, path, "0123  usr/share/doc/other\n")).toThrow("this release of Debian");
    expect(() => verify(OPENSBI, path, good)).not.toThrow();
  });
});
