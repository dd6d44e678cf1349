/** Fetching Debian 13 with a fake apt: the commands, the failures, and the files that remain. */
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DISK_MODULES, locateDebian, MODULES } from "./debian.ts";
import { fetchDebian, kernelRelease } from "./debian-fetch.ts";
import { debianContents, placeDebian, RELEASE } from "./testing/debian-files.ts";

let scratch: string;
let folders: { unpacked: string };

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "regionlab-debian-"));
  folders = { unpacked: join(scratch, "cache", "debian-13") };
  vi.stubEnv("PATH", `${join(scratch, "bin")}:${process.env.PATH}`);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(scratch, { recursive: true });
});

/** Creates a mirror with both packages and fake tools that read from it; apt refuses the index of `broken` suites. */
function makeMirror({ broken = [] as readonly string[], damaged = "" } = {}): void {
  const packages = join(scratch, "packages");
  placeDebian(packages);
  const sums = [...debianContents()].map(
    ([path, text]) => `${createHash("md5").update(text).digest("hex")}  ${path}`,
  );
  writeFileSync(join(scratch, "sums"), sums.join("\n"));
  if (damaged !== "") writeFileSync(join(packages, damaged), "something else");
  mkdirSync(join(scratch, "bin"));
  const tool = (name: string, script: string) => {
    writeFileSync(join(scratch, "bin", name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(scratch, "bin", name), 0o755);
  };
  tool(
    "apt-get",
    `echo "$@" >> ${scratch}/log
    case "$*" in
      *indextargets*) echo "Debian-Security file:/mirror-security"; echo "Debian file:/mirror" ;;
      *update) cat sources.list >> ${scratch}/log
        for suite in ${broken.join(" ")}; do
          if grep -q " $suite " sources.list; then echo "E: sync in progress: $suite" >&2; exit 100; fi
        done ;;
      *download*) for last; do :; done; : > "$last"_1_riscv64.deb ;;
    esac`,
  );
  tool("dpkg", `cp -r ${packages}/. "$3"`);
  tool("dpkg-deb", `cat ${scratch}/sums`);
}

describe("fetchDebian", () => {
  it("fetches the installer and its kernel's modules from the host's own mirror", () => {
    makeMirror();
    fetchDebian(folders);
    expect(locateDebian(folders)).toMatchObject({
      found: true,
      release: RELEASE,
      modules: DISK_MODULES.map((path) => join(folders.unpacked, MODULES, RELEASE, path)),
    });
    const log = readFileSync(join(scratch, "log"), "utf8");
    expect(log).toMatch(/^deb \[arch=riscv64.*\] file:\/mirror trixie main$/m);
    expect(log).toMatch(/Dir::State::status=\/dev\/null .* download debian-installer-13-netboot-riscv64$/m);
    expect(log).toContain(`download linux-image-${RELEASE}`);
  });

  it("tries the release's other name if the first one's index is refused", () => {
    makeMirror({ broken: ["trixie"] });
    fetchDebian(folders);
    expect(locateDebian(folders).found).toBe(true);
    expect(readFileSync(join(scratch, "log"), "utf8")).toMatch(/ stable main$/m);
  });

  it("reports the failure of each name if none works, and leaves nothing behind", () => {
    makeMirror({ broken: ["trixie", "stable"] });
    expect(() => fetchDebian(folders)).toThrow(/sync in progress: trixie\).*sync in progress: stable\)/);
    expect(readdirSync(join(scratch, "cache"))).toEqual([]);
  });

  it("refuses a file that does not match its package's checksum, and keeps the existing files", () => {
    makeMirror({ damaged: `${MODULES}/${RELEASE}/${DISK_MODULES[0]}` });
    mkdirSync(folders.unpacked, { recursive: true });
    writeFileSync(join(folders.unpacked, "old"), "");
    expect(() => fetchDebian(folders)).toThrow(/virtio_mmio\.ko\.xz is damaged/);
    expect(existsSync(join(folders.unpacked, "old"))).toBe(true);
  });

  it("refuses a kernel without a release string", () => {
    writeFileSync(join(scratch, "linux"), "\x1f\x8b");
    expect(() => kernelRelease(join(scratch, "linux"))).toThrow("is not an uncompressed Linux kernel");
  });
});
