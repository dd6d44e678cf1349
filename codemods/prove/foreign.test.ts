/** Devices in other people's styles: each is converted as it should be, or refused for a reason that is true of it. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Fault,
  type Finding,
  findings,
  foreignNames,
  foreignSources,
} from "../testing/foreign-cases.ts";
import { foreignJudgements, type Judgement } from "../testing/foreign-judgements.ts";
import { KNOWN_FAULTS, KNOWN_FAULTS_BACK, LEAST_CONVERTED } from "../testing/known-faults.ts";
import { type Conversion, newMessages, type Sources, Trials } from "../testing/trial.ts";
import type { Proof } from "./prover.ts";

interface Outcome {
  readonly judgement: Judgement;
  readonly sources: Sources;
  readonly conversion: Conversion;
  readonly messages: readonly string[];
  readonly proofs: readonly Proof[];
}

/** Converts, checks and proves a set of programs. */
async function tryAll(
  trials: Trials,
  programs: readonly { readonly judgement: Judgement; readonly sources: Sources }[],
): Promise<Outcome[]> {
  const conversions = new Map<string, Conversion>();
  for (const direction of ["to-owned", "to-embedded"] as const) {
    const wanted = programs.filter(({ judgement }) => judgement.direction === direction);
    for (const group of groups(wanted)) {
      const sources = new Map(group.map((each) => [each.judgement.name, each.sources]));
      for (const [name, conversion] of trials.convert(sources, direction)) conversions.set(name, conversion);
    }
  }
  const converted = programs.map(({ judgement, sources }) => ({
    judgement,
    sources,
    conversion: conversions.get(judgement.name) ?? missing(judgement.name),
  }));
  const changed = converted.filter(({ conversion }) => conversion.changed);
  const messages = newMessages(
    new Map(
      changed.map(({ judgement, sources, conversion }) => [
        judgement.name,
        { before: sources, after: conversion.after },
      ]),
    ),
  );
  const outcomes: Outcome[] = [];
  for (const { judgement, sources, conversion } of converted) {
    const board: Sources = judgement.board === undefined ? {} : { "board.ts": judgement.board };
    const proofs = conversion.changed
      ? await trials.prove(judgement.name, sources, conversion.after, board)
      : [];
    outcomes.push({ judgement, sources, conversion, messages: messages.get(judgement.name) ?? [], proofs });
  }
  return outcomes;
}

/** Sources that reach fields by any object would concern all others, so that they are converted alone. */
function groups<T extends { readonly sources: Sources }>(programs: readonly T[]): T[][] {
  const reachesAny = ({ sources }: T) => Object.values(sources).some((text) => /: any\b|keyof/.test(text));
  return [programs.filter((each) => !reachesAny(each)), ...programs.filter(reachesAny).map((each) => [each])];
}

function missing(name: string): never {
  throw new Error(`${name} has no result`);
}

function faultsOf(found: readonly Finding[]): Record<Fault, string[]> {
  const names = (fault: Fault) => found.filter((each) => each.fault === fault).map(({ name }) => name);
  return {
    wrong: [...new Set(names("wrong"))].sort(),
    "not driven": names("not driven").sort(),
    "too strict": names("too strict").sort(),
    "untrue reason": names("untrue reason").sort(),
    "not seen": names("not seen").sort(),
  };
}

/** The list for the message of a failed test. */
function described(found: readonly Finding[]): string {
  return found.map(({ name, fault, what }) => `${fault}: ${name}: ${what}`).join("\n");
}

describe("foreign devices", () => {
  const trials = new Trials();
  let outcomes: Outcome[] = [];

  beforeAll(async () => {
    const programs = foreignJudgements.map((judgement) => ({
      judgement,
      sources: foreignSources(judgement.name),
    }));
    outcomes = await tryAll(trials, programs);
  }, 240_000);
  afterAll(() => trials.close());

  test("every source is judged, once", () => {
    expect(foreignJudgements.map(({ name }) => name).sort()).toEqual(foreignNames());
    for (const { name, right, reasons } of foreignJudgements) {
      if (right === "converts") expect(reasons, name).toEqual([]);
      else expect(reasons, name).not.toEqual([]);
    }
  });

  test("right, but for the known faults", () => {
    const found = outcomes.flatMap(({ judgement, conversion, messages, proofs }) =>
      findings(judgement, conversion, messages, proofs),
    );
    expect(faultsOf(found), described(found)).toEqual(KNOWN_FAULTS);
  });

  test("of those that can be converted safely, enough are", () => {
    const convertible = outcomes.filter(({ judgement }) => judgement.right === "converts");
    const converted = convertible.filter(
      ({ conversion }) => conversion.changed && conversion.reasons.length === 0,
    );
    console.log(`${converted.length} of ${convertible.length} foreign devices that can be converted are`);
    expect(converted.length).toBeGreaterThanOrEqual(LEAST_CONVERTED);
  });

  test("the way back from a result is right or refused for a reason", async () => {
    const back = outcomes
      .filter(({ conversion }) => conversion.changed && conversion.reasons.length === 0)
      .map(({ judgement, conversion }) => ({
        judgement: {
          ...judgement,
          direction: judgement.direction === "to-owned" ? ("to-embedded" as const) : ("to-owned" as const),
          right: "converts" as const,
          reasons: [],
        },
        sources: conversion.after,
      }));
    const found = (await tryAll(trials, back)).flatMap(({ judgement, conversion, messages, proofs }) =>
      findings(judgement, conversion, messages, proofs),
    );
    expect(faultsOf(found), described(found)).toEqual(KNOWN_FAULTS_BACK);
  }, 240_000);
});
