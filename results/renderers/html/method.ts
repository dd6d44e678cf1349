import type { Interval } from "../../schema.ts";
import { plainTable, type Table } from "../table-model.ts";
import { html, type Markup } from "./markup.ts";
import { disclosure, tableBox } from "./tables.ts";

type Ends = readonly [estimate: number, low: number, high: number];

interface Example {
  readonly verdict: "equivalent" | "slower" | "faster" | "no difference" | "inconclusive";
  readonly ab: Ends;
  readonly aa: Ends;
  readonly why: string;
}

/** Invented intervals, one for each verdict, with a margin of 2 %. */
const EXAMPLES: readonly Example[] = [
  { verdict: "equivalent", ab: [0.4, -0.5, 1.3], aa: [0.1, -0.7, 0.9], why: "lies inside the margin" },
  {
    verdict: "slower",
    ab: [4.2, 2.9, 5.5],
    aa: [-0.2, -1.1, 0.7],
    why: "lies above zero, clear of the control",
  },
  {
    verdict: "faster",
    ab: [-4.6, -5.6, -3.5],
    aa: [0.3, -0.6, 1.2],
    why: "lies below zero, clear of the control",
  },
  {
    verdict: "no difference",
    ...{
      ab: [3.1, 0.9, 5.2],
      aa: [-1.9, -4.6, 1.1],
      why: "lies above zero, but A differs from itself by as much",
    },
  },
  {
    verdict: "inconclusive",
    ab: [1.2, -3.2, 5.6],
    aa: [0.4, -3.9, 4.4],
    why: "covers zero and extends beyond the margin",
  },
];

export function examples(): Markup {
  return tableBox(exampleTable());
}

function exampleTable(): Table {
  const interval = ([estimate, low, high]: Ends): Interval => ({ estimate, low, high });
  const plain = plainTable(
    "Invented examples with a margin of ±2 %, and the verdict of each",
    ["The interval", "Verdict"],
    [],
    EXAMPLES.map(({ verdict, why }) => [why, verdict]),
  );
  return {
    ...plain,
    verdictColumn: 1,
    rows: EXAMPLES.map(({ verdict, why, ab, aa }) => ({
      cells: [why, verdict],
      verdict,
      picture: { ab: interval(ab), aa: interval(aa), margin: 2 },
    })),
  };
}

/** The terms of the page, and why its figures can be trusted, for readers who see such a page for the first time. */
export function wordList(): Markup {
  return disclosure(
    "What the terms mean, and why the figures can be trusted",
    html`<dl class="words">
<dt>equivalent</dt>
<dd>The whole interval lies inside the margin, which was fixed before the run, and so does that of A against itself. This is a
finding: a larger difference has been ruled out.</dd>
<dt>equal by construction</dt>
<dd>The access reads no field of the region in either form, as counted with a trap on every field, so it cannot
matter where the region lies. Whatever makes its time differ is something else, so that is shown, but not judged.</dd>
<dt>faster, slower; less, more</dt>
<dd>The interval excludes zero, chance is unlikely even among this many figures, and the difference is larger than what A shows
against itself. For memory and instructions the words are less and more.</dd>
<dt>not told apart</dt>
<dd>A difference was found, but A differs from itself by as much: what the forms add to it is unknown.</dd>
<dt>inconclusive</dt>
<dd>Neither a difference nor equivalence is shown, or A differs from itself by more than the margin, or the row has no figure
that can decide. The row says which.</dd>
<dt>not judged</dt>
<dd>The figure is shown for comparison with the one that decides its question.</dd>
</dl>
<ul>
<li><strong>The arms run side by side.</strong> One process holds three V8 isolates, each of which loads one form only. They take turns of
about a millisecond, in all orders at random. A disturbance of the machine that lasts longer affects all of them alike.</li>
<li><strong>The process is the sample.</strong> Thousands of calls in one process are a single trial, because V8 has optimised them only
once. Intervals are over processes.</li>
<li><strong>Exact counts accompany times.</strong> Instructions of the host processor, counted by valgrind, repeat far more closely than
any time; where work is counted, the count decides, except for the latency of dispatch.</li>
<li><strong>A is measured against itself</strong> in every process, and the same rule is applied to it. If the rule claims a
difference there that exceeds the margin, the question stays open.</li>
<li><strong>Many questions, few false claims.</strong> Holm’s method corrects for their number: the chance of even one false claim is at
most 5 % among the headline questions, and at most 5 % among all others.</li>
<li><strong>Nothing is dropped.</strong> Outliers are ringed: a small ring beyond 1.5 interquartile ranges, a large one beyond 3.
Processes that gave no sample are named at the top.</li>
</ul>`,
  );
}
