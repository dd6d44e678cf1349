/** An apt of its own, with one source: another suite or architecture of the mirror that the host already uses. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "#host";
import { PackageTools } from "./packages.ts";

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** What a private apt reads. */
export interface AptSource {
  /** The release, such as `trixie` or `sid`. */
  readonly suite: string;
  /** The architecture of the packages; undefined for source packages. */
  readonly architecture?: string;
  /** What to do without apt. */
  readonly byHand: string;
}

/**
 * Makes an apt with private folders in `folder`, and updates its lists; the host's own apt is not changed.
 * @throws CommandError if the host has no mirror, or the mirror does not have the suite.
 */
export function privateApt(folder: string, { suite, architecture, byHand }: AptSource): PackageTools {
  const options = [
    `Dir::State=${join(folder, "state")}`,
    "Dir::State::status=/dev/null",
    `Dir::Cache=${join(folder, "cache")}`,
    `Dir::Etc::sourcelist=${join(folder, "sources.list")}`,
    "Dir::Etc::sourceparts=-",
    ...(architecture ? [`APT::Architecture=${architecture}`, `APT::Architectures::=${architecture}`] : []),
    "Acquire::Languages=none",
  ];
  const tools = new PackageTools(
    byHand,
    options.flatMap((option) => ["-o", option]),
  );
  const kind = architecture === undefined ? "deb-src" : "deb";
  const marks = [
    ...(architecture === undefined ? [] : [`arch=${architecture}`]),
    ...(existsSync(KEYRING) ? [`signed-by=${KEYRING}`] : []),
  ];
  const mark = marks.length > 0 ? `[${marks.join(" ")}] ` : "";
  writeFileSync(join(folder, "sources.list"), `${kind} ${mark}${mirror(folder, byHand)} ${suite} main\n`);
  for (const each of ["state/lists/partial", "cache/archives/partial"]) {
    mkdirSync(join(folder, each), { recursive: true });
  }
  tools.apt(folder, "update");
  return tools;
}

/** The mirror of Debian's main archive that the host is configured to use. */
function mirror(folder: string, byHand: string): string {
  const targets = new PackageTools(byHand)
    .apt(
      folder,
      "indextargets",
      "--format",
      "$(LABEL) $(REPO_URI)",
      "Created-By: Packages",
      "Component: main",
    )
    .split("\n")
    .map((line) => line.split(" "));
  const uri = targets.find(([label]) => label === "Debian")?.[1];
  if (uri === undefined) {
    throw new CommandError(
      "apt has no Debian mirror configured: add one to apt's sources, run `apt-get update` and try again",
    );
  }
  return uri;
}
