/** The outline of a report: the answer, then everything that supports it. Worded once for all renderers. */

import { cleaned } from "#host";
import { type Answer, answer } from "../answer.ts";
import { type Warning, warnings } from "../environment-words.ts";
import { ASYMPTOTIC, formatSize, type GrowthRecord, growthTable, lawText } from "../growth.ts";
import {
  controlSentence,
  processesOfSlices,
  processesSentence,
  SCOPE,
  selfTestSentence,
} from "../instrument-words.ts";
import { claimsOf } from "../measured-claim.ts";
import type { Run } from "../schema.ts";
import { claimCounts, claimMatrix, claimNotes, claimTable, factTable, inCTable } from "./claim-tables.ts";
import { agreementSentence, sourcesTable } from "./sources-table.ts";
import type { Table } from "./table-model.ts";
import {
  alikeTable,
  codeSizeTable,
  commands,
  environmentTable,
  equivalenceTable,
  fieldReadTable,
  figureTable,
  hashText,
  lifetimeTable,
  objectTable,
  phaseTable,
  requirementTable,
  retentionTable,
  scheduleText,
  selfTestTable,
} from "./tables.ts";
import { verdictTable } from "./verdict-table.ts";

/** Pictures, which only the page has. */
export type PictureKind = "verdicts" | "distributions" | "heap" | "growth" | "lines" | "method";

export interface Section {
  readonly title: string;
  readonly paragraphs: readonly string[];
  readonly blocks: readonly Block[];
  readonly picture?: PictureKind;
}

export type Block =
  | { readonly kind: "table"; readonly table: Table; readonly folded?: boolean }
  /** Commands or lists, line by line. */
  | { readonly kind: "text"; readonly title: string; readonly text: string; readonly folded?: boolean };

export interface Report {
  /** The run, with every text safe to show. */
  readonly run: Run;
  /** The same for how costs grow, if that was measured. */
  readonly growth: GrowthRecord | null;
  readonly warnings: readonly Warning[];
  readonly answer: Answer;
  readonly sections: readonly Section[];
}

/** @param stored a run as it was read, and growth; their texts are not trusted until they are cleaned here */
export function reportOf(stored: Run, storedGrowth: GrowthRecord | null = null): Report {
  const run = cleaned(stored);
  const growth = storedGrowth && cleaned(storedGrowth);
  const proven = run.equivalence.every(({ equal }) => equal);
  const proof = proofSection(run);
  const sections = [
    ...(proven ? [] : [proof]),
    claimSection(run),
    verdictSection(run),
    sourcesSection(run),
    lifetimeSection(run),
    fieldReadSection(run),
    detailSection(run),
    heapSection(run),
    ...(growth === null ? [] : [growthSection(growth)]),
    codeSizeSection(run),
    limitSection(run),
    ...(proven ? [proof] : []),
    methodSection(run),
    environmentSection(run),
    repeatSection(run),
  ];
  return {
    run,
    growth,
    warnings: warnings(run),
    answer: answer(run),
    sections: sections.flatMap((section) => {
      const blocks = section.blocks.filter((block) => block.kind === "text" || block.table.rows.length > 0);
      return blocks.length === 0 ? [] : [{ ...section, blocks }];
    }),
  };
}

function table(content: Table, folded = false): Block {
  return { kind: "table", table: content, folded };
}

function verdictSection(run: Run): Section {
  return {
    title: "Verdicts",
    paragraphs: [
      ...(run.metrics.some(({ quantity }) => quantity === "time") ? [SCOPE] : []),
      `${controlSentence(run)} ${selfTestSentence(run.selfTest)} ${processesSentence(run)}`.trim(),
    ],
    blocks: [
      table(
        verdictTable(run, "Headline questions: paired differences, their control, and verdicts", [
          "headline",
        ]),
      ),
    ],
    picture: "verdicts",
  };
}

function claimSection(run: Run): Section {
  const claims = claimsOf(run);
  const notes = claimNotes(claims);
  return {
    title: "Claims",
    paragraphs: [
      `What was said for and against either form, put to the test. ${claimCounts(claims)} Scenarios run with regions that are ` +
        "embedded, owned, or allocated by hand, and with references that count on the owner (as QEMU since 10.2, or as 7.2), on the region " +
        "itself, or with regions unparented at unrealize. Each outcome was predicted from the rules before it was observed.",
    ],
    blocks: [
      table(claimTable(claims)),
      table(claimMatrix(claims), true),
      table(factTable(claims), true),
      table(inCTable(claims), true),
      ...(notes === ""
        ? []
        : [{ kind: "text", title: "Notes on claims", text: notes, folded: true } as const]),
    ],
  };
}

function sourcesSection(run: Run): Section {
  return {
    title: "This emulator and QEMU in C",
    paragraphs: [
      "The same questions, asked of QEMU built in both forms. The two measure different programs, so their figures cannot be compared; " +
        "which form takes less can. " +
        agreementSentence(run),
    ],
    blocks: [table(sourcesTable(run))],
  };
}

function lifetimeSection(run: Run): Section {
  return {
    title: "Lifetimes",
    paragraphs: [
      "Scenarios that test the lifetime of devices and their regions, for which the rules of the object model differ between the " +
        "forms. The outcome in each form was predicted before the scenario was run. Figures are exact, because every round does the same.",
    ],
    blocks: [table(lifetimeTable(run))],
  };
}

function fieldReadSection(run: Run): Section {
  const { A, B } = run.options.forms;
  return {
    title: "Region fields read by an access",
    paragraphs: [
      `Counted, not timed. If an access reads no field of the region${A === B ? "" : " in either form"}, the location of the ` +
        `region in memory cannot matter, by construction, whatever else may make times differ.`,
    ],
    blocks: [table(fieldReadTable(run))],
  };
}

function detailSection(run: Run): Section {
  return {
    title: "Details",
    paragraphs: ["Details show where a difference comes from; a control runs the same code in all arms."],
    blocks: [
      table(verdictTable(run, "Details and controls", ["detail", "control"]), true),
      table(figureTable(run), true),
    ],
    picture: "distributions",
  };
}

function heapSection(run: Run): Section {
  return {
    title: "Heap and objects",
    paragraphs: [
      "What is left after many rounds of creating and destroying. Objects are counted by V8, by class. Blocks are those of the " +
        "emulator's storage ledger; their sizes are modelled on the C structures.",
    ],
    blocks: [table(retentionTable(run)), table(objectTable(run), true)],
    picture: "heap",
  };
}

function growthSection(growth: GrowthRecord): Section {
  const { works, node } = growth;
  return {
    title: "Growth",
    paragraphs: [
      `How the cost of one change grows with the number n of regions, devices, notifiers or address spaces: processor time, measured with Node ${node} ` +
        `by “regionlab bench scaling”. The exponent is that of a power of n fitted from n = ${formatSize(ASYMPTOTIC)} on. An aim is reached if the whole ` +
        "interval lies below the greatest exponent that it permits. How QEMU 10.2.2 grows was read in its source, not measured.",
    ],
    blocks: [
      table(growthTable(growth)),
      {
        kind: "text",
        title: "One change of each work, and where QEMU’s source shows its growth",
        text: works
          .map(
            ({ name, change, qemu, source }) => `${name}: ${change}\n    QEMU: ${lawText(qemu)}. ${source}`,
          )
          .join("\n"),
        folded: true,
      },
    ],
    picture: "growth",
  };
}

function codeSizeSection(run: Run): Section {
  return {
    title: "Code size",
    paragraphs: [
      "The same devices in both trees. Fields are those that hold a region or an array of regions; lines are all lines of the file.",
    ],
    blocks: [table(codeSizeTable(run))],
    picture: "lines",
  };
}

function limitSection(run: Run): Section {
  return { title: "Limits", paragraphs: [], blocks: [table(requirementTable(run))] };
}

function proofSection(run: Run): Section {
  return {
    title: "Proof that both forms ran the same guest",
    paragraphs: [
      "Times may be compared only if the work was the same. For each workload: guest instructions retired, device accesses, a hash " +
        "over all accesses in order with their values, and a hash over the console output. A single mismatch fails the run.",
    ],
    blocks: [
      // Folded if everything is equal: then only readers who want to check it need it.
      table(
        equivalenceTable(run),
        run.equivalence.every(({ equal }) => equal),
      ),
      table(phaseTable(run), true),
      { kind: "text", title: "Hashes in full", text: hashText(run), folded: true },
    ],
  };
}

function methodSection(run: Run): Section {
  const { looks } = run.options.sequential;
  return {
    title: "How to read a verdict",
    paragraphs: [
      "A difference is the centre of the differences of pairs: figures of two arms from the same process, or from the same repeat of " +
        "a count. Its confidence interval is in parentheses; the two figures shown with it come from the same pairs. “Equivalent” " +
        "means that the whole interval lies inside the margin, which was fixed before the run. “Inconclusive” does not mean equal: " +
        "the row says why it is open, and what would settle it.",
      ...(looks.length < 2
        ? []
        : [
            `A time of slices is looked at after ${looks.join(", ")} processes, and no longer measured once it is decided. Each look ` +
              "uses a stricter level, so that all looks together err at most as often as a single look at 95 %. The chance of a difference of " +
              "times is that of the sign test, or of Student’s t where an interval of ranks would need more processes, multiplied by the " +
              "number of looks and corrected by Holm: with n processes it is never below 2 in 2ⁿ, however narrow the interval. " +
              looksReached(run),
          ]),
    ],
    blocks: [table(selfTestTable(run), true), table(alikeTable(run), true)],
    picture: "method",
  };
}

/** How far the run came with its times of slices. */
function looksReached(run: Run): string {
  const found = processesOfSlices(run);
  if (found === null) return "This run has no such times.";
  return found.most < (run.options.sequential.looks[0] ?? 0)
    ? `In this run they have ${found.words} processes, because its time was up before the first look.`
    : `In this run they have ${found.words} processes.`;
}

function environmentSection(run: Run): Section {
  return {
    title: "Environment",
    paragraphs: [],
    blocks: [
      table(environmentTable(run), true),
      {
        kind: "text",
        title: "Order of isolate creation in each process",
        text: scheduleText(run),
        folded: true,
      },
    ],
  };
}

function repeatSection(run: Run): Section {
  return {
    title: "To repeat this run",
    paragraphs: ["The seed fixes the order of the arms. Times will differ; verdicts should not."],
    blocks: [{ kind: "text", title: "Commands", text: commands(run).join("\n") }],
  };
}
