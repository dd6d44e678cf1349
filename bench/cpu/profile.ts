/** Where the time of a run goes, by V8's sampling profiler: every sample is attributed to the innermost function. */

import type { Profiler } from "node:inspector";
import { Session } from "node:inspector";

/** Parts of a run, as shown in the report. */
export const PROFILE_PARTS = [
  "translated code and interpreter",
  "translate",
  "compile",
  "page walks",
  "traps, control registers and fetch",
  "memory and devices",
  "run loop",
  "calls between JavaScript and WebAssembly",
  "garbage collection",
  "rest",
] as const;
export type ProfilePart = (typeof PROFILE_PARTS)[number];

export interface Profile {
  readonly work: string;
  readonly milliseconds: number;
  readonly instructions: number;
  /** Milliseconds by part; they add up to the whole time. */
  readonly parts: Readonly<Record<ProfilePart, number>>;
}

/** Microseconds between two samples. */
const SAMPLING_INTERVAL = 1000;

/** The part that the functions of a file belong to; the first match counts. */
const FILES: readonly (readonly [RegExp, ProfilePart])[] = [
  [/^wasm:/, "translated code and interpreter"],
  [/\/cpu\/riscv\/(translator|wasm)\//, "translate"],
  [/\/cpu\/riscv\/interpreter\//, "translate"],
  [/\/cpu\/riscv\/hart\/(mmu|pmp|tlb)[.-]/, "page walks"],
  [/\/cpu\/riscv\//, "traps, control registers and fetch"],
  [/\/(memory|hw|qdev|qom|backends)\//, "memory and devices"],
  [/\/machine\//, "run loop"],
];

/** The part that one function's own time belongs to. */
export function partOf({
  functionName,
  url,
}: Pick<Profiler.Profile["nodes"][number]["callFrame"], "functionName" | "url">): ProfilePart {
  if (functionName === "(garbage collector)") return "garbage collection";
  // Native code has no file: compilation shows up as the constructors and functions of WebAssembly.
  if (url === "" && /^(Module|Instance|compile|instantiate)$/.test(functionName)) return "compile";
  if (/^(js-to-wasm|wasm-to-js|GenericJSToWasmWrapper)/.test(functionName)) {
    return "calls between JavaScript and WebAssembly";
  }
  return FILES.find(([pattern]) => pattern.test(url))?.[1] ?? "rest";
}

/** Adds up the samples of a V8 profile, in milliseconds by part. */
export function addUp({
  nodes,
  samples = [],
  timeDeltas = [],
}: Profiler.Profile): Record<ProfilePart, number> {
  const partOfNode = new Map(nodes.map(({ id, callFrame }) => [id, partOf(callFrame)]));
  const parts = Object.fromEntries(PROFILE_PARTS.map((part) => [part, 0])) as Record<ProfilePart, number>;
  samples.forEach((id, i) => {
    parts[partOfNode.get(id) ?? "rest"] += (timeDeltas[i] ?? 0) / 1000;
  });
  return parts;
}

/** Runs `work` under the profiler. */
export function profiled(work: () => void): Profiler.Profile {
  const session = new Session();
  session.connect();
  // The commands of an in-process session complete before `post` returns.
  let result: Profiler.Profile | undefined;
  session.post("Profiler.enable");
  session.post("Profiler.setSamplingInterval", { interval: SAMPLING_INTERVAL });
  session.post("Profiler.start");
  try {
    work();
  } finally {
    session.post("Profiler.stop", (error, answer) => {
      if (error === null) result = answer.profile;
    });
    session.disconnect();
  }
  if (result === undefined) throw new Error("the profiler gave no profile");
  return result;
}
