import type { Run } from "../../schema.ts";
import { html, type Markup } from "./markup.ts";
import { type IntervalRow, intervalPlot } from "./plots.ts";

/** Invented intervals, one for each verdict, on a margin of 2 %. */
const EXAMPLES: readonly (IntervalRow & { readonly why: string })[] = [
  example("equivalent", [0.4, -0.5, 1.3], [0.1, -0.7, 0.9], "lies inside the margin"),
  example(
    "slower",
    [5.2, 3.9, 6.5],
    [-0.2, -1.1, 0.7],
    "lies above zero, clear of the control and of the margin",
  ),
  example(
    "faster",
    [-4.6, -5.6, -3.5],
    [0.3, -0.6, 1.2],
    "lies below zero, clear of the control and of the margin",
  ),
  example(
    "no difference",
    [3.1, 0.9, 5.2],
    [-1.9, -4.6, 1.1],
    "lies above zero, but A differs as much from itself",
  ),
  example("inconclusive", [1.2, -3.2, 5.6], [0.4, -3.9, 4.4], "covers zero and leaves the margin"),
];

function example(label: string, ab: Ends, aa: Ends, why: string): IntervalRow & { readonly why: string } {
  const interval = ([estimate, low, high]: Ends) => ({ estimate, low, high });
  return { label, ab: interval(ab), aa: interval(aa), margin: 2, why };
}

type Ends = readonly [estimate: number, low: number, high: number];

/** How the figures come about and how to read them, for somebody who sees such a page for the first time. */
export function methodSection(run: Run, id: string): Markup {
  const { A, B } = run.options.forms;
  const label = `Invented examples. ${EXAMPLES.map((row) => `${row.label}: the interval ${row.why}`).join(". ")}.`;
  return html`<section aria-labelledby="${id}">
<h2 id="${id}">How to read a verdict</h2>
<p>A is the ${A} form, B the ${B} form. Both emulate the same machine and run the same guest. The line in B’s colour is
the difference of B from A: the dot is the best estimate, the line the range in which the true difference lies with 95 %
confidence. Left of zero B is better, right of it worse. The grey line below shows A measured against itself, in the same
run and the same way. It must show nothing; how far it strays is what chance alone does here.</p>
<figure>
<figcaption>Five invented intervals and what each of them would be called, on a margin of ±2 %.</figcaption>
<div class="wide">${intervalPlot(EXAMPLES, 860, "%", label)}</div>
<div class="narrow">${intervalPlot(EXAMPLES, 328, "%", label)}</div>
</figure>
<dl class="words">
<dt><span class="chip v-equivalent">= equivalent</span></dt>
<dd>The whole interval lies inside the margin, which was stated before the run. This is a finding: a larger difference has
been ruled out.</dd>
<dt><span class="chip v-faster">▼ faster</span> <span class="chip v-slower">▲ slower</span></dt>
<dd>The interval excludes zero, chance is unlikely even among so many metrics, and the difference is larger than what A shows
against itself. Of memory we say less and more.</dd>
<dt><span class="chip v-no-difference">≈ no difference</span></dt>
<dd>A difference was found, but A differs as much from itself: it says nothing about the forms.</dd>
<dt><span class="chip v-inconclusive">? inconclusive</span></dt>
<dd>Neither a difference nor equivalence is shown. Not the same as equivalent: it says how many repeats would settle
it.</dd>
</dl>
<h3>Why you may believe it</h3>
<ul>
<li><strong>The process is the sample.</strong> Every time comes from ${run.options.repeats} fresh processes per arm, each of
which loads one form only; heaps, which hardly vary, come from fewer. Thousands of calls in one process are one trial: the engine has optimised them once.</li>
<li><strong>The arms are interleaved</strong> in palindromes of shuffled order (seed ${run.options.seed}), so that a machine
that slowly warms up or gets busy harms all arms alike.</li>
<li><strong>A is measured against itself</strong> in every run. The same rule is applied to it, and the number of
differences that it claims there is printed at the top.</li>
<li><strong>Differences are those of pairs:</strong> each process of B with the one of A that ran seconds before or after it, so
that what disturbs both cancels out. The difference is the median of theirs, its interval and the probability of chance are
those of the sign test: exact, whatever the shape of the noise. You can check them by counting in how many pairs B is
the larger one. Where there are fewer than six pairs, which is too few for counting, they are Student’s. Holm’s method corrects for
the number of metrics: the chance of even one false “faster” or “slower” among the headline metrics is at most 5 %, and as
much among the details.</li>
<li><strong>Nothing is dropped.</strong> Outliers are ringed: beyond 1.5 interquartile ranges with a small ring, beyond 3 with a
large one.</li>
<li><strong>Same work, proven.</strong> The guest’s clock counts instructions, so a run is deterministic. If both forms do not
retire the same instructions, make the same device accesses in the same order and print the same bytes, no time is
reported.</li>
</ul>
</section>`;
}
