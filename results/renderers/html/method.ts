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

/** Invented intervals, one for each verdict, on a margin of 2 %. */
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
      why: "lies above zero, but A differs as much from itself",
    },
  },
  {
    verdict: "inconclusive",
    ab: [1.2, -3.2, 5.6],
    aa: [0.4, -3.9, 4.4],
    why: "covers zero and leaves the margin",
  },
];

export function examples(): Markup {
  return tableBox(exampleTable());
}

function exampleTable(): Table {
  const interval = ([estimate, low, high]: Ends): Interval => ({ estimate, low, high });
  const plain = plainTable(
    "Invented examples on a margin of ±2 %, and what each would be called",
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

/** Words of the page, and why its figures may be believed, for somebody who sees such a page for the first time. */
export function wordList(): Markup {
  return disclosure(
    "The words, and why you may believe the figures",
    html`<dl class="words">
<dt>equivalent</dt>
<dd>The whole interval lies inside the margin, which was stated before the run. This is a finding: a larger difference has
been ruled out.</dd>
<dt>equal by construction</dt>
<dd>Such an access reads no field of the region in either form, counted with a trap on every field: both forms run the same code on
the same data. A time could show nothing but noise, and is not judged.</dd>
<dt>faster, slower; less, more</dt>
<dd>The interval excludes zero, chance is unlikely even among so many figures, and the difference is larger than what A shows
against itself. Of memory and of instructions we say less and more.</dd>
<dt>no difference</dt>
<dd>A difference was found, but A differs as much from itself: it says nothing about the forms.</dd>
<dt>inconclusive</dt>
<dd>Neither a difference nor equivalence is shown, or A differs from itself by more than the margin, or no figure of the row
is fit to decide. The row says which.</dd>
<dt>not judged</dt>
<dd>Stands beside the figure that decides its question, so that the two can be compared.</dd>
</dl>
<ul>
<li><strong>The arms are side by side.</strong> One process holds three isolates of V8, each of which loads one form only; they take turns of
about a millisecond, in all orders at random. What disturbs the machine for longer disturbs all of them alike.</li>
<li><strong>The process is the sample.</strong> Thousands of calls in one process are one trial: the engine has optimised them
once. Intervals are over processes.</li>
<li><strong>Exact counts stand beside times.</strong> Instructions of the host processor, counted by valgrind, repeat far more closely than
any time; where a time cannot decide, the count does.</li>
<li><strong>A is measured against itself</strong> in every process, and the same rule is applied to it. Where it claims a
difference there beyond the margin, the row gets no verdict.</li>
<li><strong>Many questions, few false claims.</strong> Holm’s method corrects for their number: the chance of even one false claim among the
headline questions is at most 5 %, and as much among all others.</li>
<li><strong>Nothing is dropped.</strong> Outliers are ringed: beyond 1.5 interquartile ranges with a small ring, beyond 3 with a
large one. Processes that gave no sample are named at the top.</li>
</ul>`,
  );
}
