/** A run as a report in its order: the answer, then everything that supports it. Worded once for all renderers. */

import { cleaned } from "#host";
import { type Answer, answer } from "../answer.ts";
import { type Warning, warnings } from "../environment-words.ts";
import { controlSentence, SCOPE, selfTestSentence } from "../instrument-words.ts";
import type { Run } from "../schema.ts";
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

/** Where the page has pictures, and the others have none. */
export type PictureKind = "verdicts" | "distributions" | "heap" | "lines" | "method";

export interface Section {
  readonly title: string;
  readonly paragraphs: readonly string[];
  readonly blocks: readonly Block[];
  readonly picture?: PictureKind;
}

export type Block =
  | { readonly kind: "table"; readonly table: Table; readonly folded?: boolean }
  /** Commands and lists, line by line. */
  | { readonly kind: "text"; readonly title: string; readonly text: string; readonly folded?: boolean };

export interface Report {
  /** The run, with every text safe to show. */
  readonly run: Run;
  readonly warnings: readonly Warning[];
  readonly answer: Answer;
  readonly sections: readonly Section[];
}

/** @param stored a run as it was read: what it says is not trusted until it went through here */
export function reportOf(stored: Run): Report {
  const run = cleaned(stored);
  const proven = run.equivalence.every(({ equal }) => equal);
  const proof = proofSection(run);
  const sections = [
    ...(proven ? [] : [proof]),
    verdictSection(run),
    lifetimeSection(run),
    fieldReadSection(run),
    detailSection(run),
    heapSection(run),
    codeSizeSection(run),
    limitSection(run),
    ...(proven ? [proof] : []),
    methodSection(run),
    environmentSection(run),
    repeatSection(run),
  ];
  return {
    run,
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
    paragraphs: [SCOPE, `${controlSentence(run)} ${selfTestSentence(run.selfTest)}`],
    blocks: [
      table(
        verdictTable(run, "Headline questions: differences by pairs, their control, and verdicts", [
          "headline",
        ]),
      ),
    ],
    picture: "verdicts",
  };
}

function lifetimeSection(run: Run): Section {
  return {
    title: "Lifetimes",
    paragraphs: [
      "Lives of devices in which the two forms must behave differently, by the rules of the object model. What each would do was " +
        "written down before it was run; figures are exact, because every round does the same.",
    ],
    blocks: [table(lifetimeTable(run))],
  };
}

function fieldReadSection(run: Run): Section {
  const { A, B } = run.options.forms;
  return {
    title: "What an access reads of a region",
    paragraphs: [
      `Counted, not timed: where ${A === B ? "an access" : "an access of either form"} reads no field of the region, the place of the ` +
        `region cannot matter, and ${A === B ? "both arms are" : `${A} and ${B} are`} equal by construction.`,
    ],
    blocks: [table(fieldReadTable(run))],
  };
}

function detailSection(run: Run): Section {
  return {
    title: "Details",
    paragraphs: ["Details say where a difference comes from; a control runs the same code in both forms."],
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
      "What is left after many rounds of creating and destroying. Counts of objects are V8's own, by class; blocks are those of " +
        "the emulator's storage ledger, their size modelled as that of the C structures.",
    ],
    blocks: [table(retentionTable(run)), table(objectTable(run), true)],
    picture: "heap",
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
    title: "Same guest, proven",
    paragraphs: [
      "Times may be compared only if the work was the same. Per workload: guest instructions retired, device accesses made, a hash " +
        "over every one of them in order with its value, and a hash over the console. One mismatch fails the run.",
    ],
    blocks: [
      // Where all is equal, nobody reads on who does not want to check.
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
      "A difference is the centre over processes, each of which holds all arms side by side; beside it stands the interval in which the " +
        "true one lies. The two figures beside a difference come from the same pairs. “Equivalent” means that the whole interval lies " +
        "inside the margin, which was stated before the run; “inconclusive” is not the same: it says why, and what would settle it.",
      ...(looks.length < 2
        ? []
        : [
            `The run looked at its data after ${looks.join(", ")} processes of each question and stopped where it was decided; each ` +
              "look uses a stricter level, so that all together err at most as often as one look at 95 %.",
          ]),
    ],
    blocks: [table(selfTestTable(run), true), table(alikeTable(run), true)],
    picture: "method",
  };
}

function environmentSection(run: Run): Section {
  return {
    title: "Environment",
    paragraphs: [],
    blocks: [
      table(environmentTable(run), true),
      { kind: "text", title: "Order of the isolates in each process", text: scheduleText(run), folded: true },
    ],
  };
}

function repeatSection(run: Run): Section {
  return {
    title: "To repeat",
    paragraphs: ["The seed fixes the order of the arms; times will differ, verdicts should not."],
    blocks: [{ kind: "text", title: "Commands", text: commands(run).join("\n") }],
  };
}
