/** Runs the devices of the fixtures: what the audit reports does go wrong, and what it passes does not. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { newProject, openWorkspace } from "../source/workspace.ts";
import { auditLifetimes } from "./audit.ts";
import { isBug } from "./finding.ts";
import { type DeviceType, isDeviceType, named, wrongIn } from "./testing/lives.ts";

const fixtures = join(import.meta.dirname, "fixtures");

/** Devices with bugs that these lives do not show, and why. */
const invisible: Readonly<Record<string, string>> = {
  PeerTarget: "the peer would have to go first",
  TargetFirst: "the board would have to unmap the alias after the device is unplugged",
  Setter: "the earlier region only stays",
  TwiceInLine: "depends on a field that is false",
  InConstructor: "the region is never finalized, but its storage goes with the device",
  OwnStorage: "nothing accounts for its bytes",
  Mixed: "a warning: each of the two forms is in order by itself",
  UnusedField: "a warning: only bytes are wasted",
  UnusedLocal: "a warning: only bytes are wasted",
  NeverTouched: "a warning: only bytes are wasted",
  ChildEmbedded: "a flat view would have to outlive the device",
  RegionEmbedded: "a flat view would have to outlive the device",
  NoOwnerOwned: "nothing reads the window after the device has gone",
  BusOwned: "nothing reads the window after the device has gone",
  FailsAfterMapping: "its realize fails with a larger size only",
  RemovesWhenUnparented: "it would have to go without having been plugged",
  ListsInClass: "another device would have to read the list",
  ListsInFile: "another device would have to read the list",
  LastInClass: "other code would have to read the field",
  InRecord: "another device would have to read the record",
  RootStillOpen: "what is read of the root lies in storage that still stands",
  GrowsWhenWritten: "the guest would have to write to it",
  GrowsByFunction: "the guest would have to write to it",
  GrowsByLine: "the board would have to raise its lines",
  KeepsMapping: "system memory has no owner to count the mapping on",
};
/** Names of `invisible` that have been met. */
const met = new Set<string>();

describe.each(readdirSync(fixtures).filter((name) => name.endsWith(".ts")))("%s", (name) => {
  const path = join(fixtures, name);
  const types = new Map<string, DeviceType>();
  const buggy = new Set<string>();
  const noted = new Set<string>();
  beforeAll(async () => {
    const module: Record<string, unknown> = await import(path);
    for (const [exported, type] of Object.entries(module))
      if (exported !== "default" && isDeviceType(type)) types.set(type.name, named(type));
    for (const finding of auditLifetimes(openWorkspace([path], { project: newProject() })))
      (isBug(finding) ? buggy : noted).add(finding.region.split(".")[0] ?? "");
  });

  test("runs as the audit says", () => {
    const surprises: string[] = [];
    for (const [original, type] of types) {
      if (original in invisible) {
        met.add(original);
        if (!buggy.has(original)) surprises.push(`${original}: not reported`);
        continue;
      }
      if (noted.has(original) && !buggy.has(original)) continue; // a note says that it depends
      const wrong = wrongIn(type, [...types.values()]);
      if (buggy.has(original) !== wrong.length > 0)
        surprises.push(
          `${original}: ${wrong.length > 0 ? `not reported, but ${wrong[0]}` : "reported, but nothing is wrong"}`,
        );
    }
    expect(surprises).toEqual([]);
  });
});

test("every exception is a device of the fixtures", () => {
  expect([...met].sort()).toEqual(Object.keys(invisible).sort());
});
