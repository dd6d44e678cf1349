/** Generated classes: the audit reports those in which something goes wrong, and no others. */
import { join } from "node:path";
import { ts } from "ts-morph";
import { expect, test } from "vitest";
import type { Direction } from "../regions/facts.ts";
import { newProject, openWorkspace } from "../source/workspace.ts";
import { classWith, generateClass, kindsOf } from "../testing/classes/generator.ts";
import { auditLifetimes } from "./audit.ts";
import { isBug, type LifetimeFinding } from "./finding.ts";
import { Rule } from "./rules.ts";
import { isDeviceType, loaded, named, wrongIn } from "./testing/lives.ts";

/** Combinations of each direction, besides every kind by itself. */
const COMBINED = 40;

/**
 * Rules whose bugs these lives need not show: they take a peer, a certain call, or only waste storage; and what is read of an
 * unparented root is read in storage that still stands, if that is embedded.
 */
const notAlwaysSeen: ReadonlySet<Rule> = new Set([
  Rule.OwnerNone,
  Rule.OwnerForeign,
  Rule.CreatedAgain,
  Rule.LeafUnparented,
  Rule.UsedAfterUnrealize,
  Rule.AddedTwice,
  Rule.AliasOutlivesTarget,
  Rule.NeverUsed,
  Rule.MixedForms,
  Rule.CreatedTooEarly,
  Rule.RootUnparented,
]);

/** What the audit does not follow: when an async function goes on. */
const notFollowed: ReadonlySet<string> = new Set(["created by an async function"]);

interface Trial {
  readonly name: string;
  readonly text: string;
}

function trialsOf(direction: Direction): Trial[] {
  const { shapes, hazards } = kindsOf(direction);
  const alone = [...shapes, ...hazards].map((feature) => ({
    name: feature.name,
    text: classWith(feature, null),
  }));
  const combined = Array.from({ length: COMBINED }, (_, seed) => {
    const { features, styles, text } = generateClass(direction, seed);
    return { name: `${seed}: ${[...features, ...styles].join(" + ")}`, text };
  });
  return [...alone, ...combined].filter(({ text }) => parses(text));
}

/** Styles may rewrite each other's text into something that is none; that is for the tests of the generator. */
function parses(text: string): boolean {
  const { diagnostics = [] } = ts.transpileModule(text, { reportDiagnostics: true });
  return diagnostics.length === 0;
}

test.each(["to-owned", "to-embedded"] as const)(
  "classes to convert %s",
  (direction) => {
    const trials = trialsOf(direction);
    const paths = trials.map((_, index) => join(import.meta.dirname, `generated/${direction}${index}.ts`));
    const overlay = new Map(trials.map(({ text }, index) => [paths[index] ?? "", text]));
    const byFile = new Map<string, LifetimeFinding[]>();
    for (const finding of auditLifetimes(openWorkspace(paths, { overlay, project: newProject() })))
      byFile.set(finding.file, [...(byFile.get(finding.file) ?? []), finding]);

    const surprises: string[] = [];
    let buggy = 0;
    for (const [index, { name, text }] of trials.entries()) {
      const types = Object.values(loaded(text)).filter(isDeviceType).map(named);
      const dut = types.find((type) => type.name === "Dut") ?? types.at(-1);
      if (dut === undefined) continue;
      const wrong = wrongIn(dut, types);
      const findings = byFile.get(paths[index] ?? "") ?? [];
      const bugs = findings.filter(isBug);
      if (wrong.length > 0) buggy++;
      if (wrong.length > 0 && findings.length === 0 && ![...notFollowed].some((kind) => name.includes(kind)))
        surprises.push(`${name}: not reported, but ${wrong[0]}`);
      if (wrong.length === 0 && bugs.some(({ rule }) => !notAlwaysSeen.has(rule)))
        surprises.push(
          `${name}: ${bugs.map(({ rule, line }) => `${rule}:${line}`).join(" ")}, but nothing is wrong`,
        );
    }
    expect(trials.length).toBeGreaterThan(COMBINED + 40);
    expect(surprises).toEqual([]);
    expect(buggy).toBeGreaterThan(5);
  },
  120_000,
);
