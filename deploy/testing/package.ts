/** The npm package as a user gets it: its contents, and an installation outside the repository. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./command-line.ts";

export interface PackedPackage {
  readonly filename: string;
  /** Bytes of the archive. */
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

/** Files that `npm pack` would put into the archive, from the current build. */
export function listPackage(): PackedPackage {
  return pack("--dry-run");
}

/**
 * Installs the package into an empty project with npm, as a user would, but without the registry: its dependencies are
 * copied from this checkout first, except those that the lock file marks as development dependencies.
 *
 * @param folder an empty folder, outside the repository
 * @returns path of the command
 */
export function installPackage(folder: string): string {
  const { filename } = pack("--pack-destination", folder);
  const project = join(folder, "project");
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), '{ "private": true }\n');
  for (const path of productionPackages()) {
    cpSync(join(root, path), join(project, path), { recursive: true, dereference: true });
  }
  npm(project, "install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund", join(folder, filename));
  return join(project, "node_modules", ".bin", "regionlab");
}

/** Folders of packages needed at run time; nested packages come with them. */
function productionPackages(): string[] {
  const lock: { packages: Record<string, { dev?: boolean; optional?: boolean }> } = JSON.parse(
    readFileSync(join(root, "package-lock.json"), "utf8"),
  );
  return Object.entries(lock.packages)
    .filter(([path, { dev = false }]) => /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) && !dev)
    .filter(([path, { optional = false }]) => !optional || existsSync(join(root, path)))
    .map(([path]) => path);
}

function pack(...options: string[]): PackedPackage {
  const output = npm(root, "pack", "--json", "--ignore-scripts", ...options);
  const [packed]: PackedPackage[] = JSON.parse(output);
  if (packed === undefined) throw new Error(`npm pack says nothing of a package: ${output}`);
  return packed;
}

function npm(folder: string, ...words: string[]): string {
  return execFileSync("npm", words, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}
