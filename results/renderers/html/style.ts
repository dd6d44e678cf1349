/** The page's style sheet. Colours are variables, so that plots follow the reader's light or dark setting. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fbfaf7; --card: #ffffff; --ink: #1d1f23; --muted: #5a606a; --line: #e2ded5;
  --arm-a: #2b5f96; --arm-b: #b04e1c; --control: #7c828c; --band: #1d1f2312;
  --good: #24693f; --good-tint: #e5f1e8; --bad: #a33221; --bad-tint: #fae8e4;
  --open: #7a5806; --open-tint: #f8efd8; --quiet: #4c525c; --quiet-tint: #ecebe7;
  --sans: "Inter", "Segoe UI", system-ui, -apple-system, "Helvetica Neue", "Liberation Sans", Arial, sans-serif;
  --serif: "Iowan Old Style", "Palatino Linotype", Palatino, "Source Serif 4", "Liberation Serif", Georgia, serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Code", Menlo, "Liberation Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #131519; --card: #1a1d22; --ink: #e9e7e2; --muted: #a4aab4; --line: #2f333a;
    --arm-a: #7db1ea; --arm-b: #f09d69; --control: #8d949f; --band: #ffffff14;
    --good: #7fcf9f; --good-tint: #18301f; --bad: #f59684; --bad-tint: #3a1d18;
    --open: #e6bd64; --open-tint: #33290f; --quiet: #b6bcc6; --quiet-tint: #282c33;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body {
  margin: 0 auto; max-width: 80rem; padding: clamp(1.25rem, 4vw, 4rem) clamp(1rem, 4vw, 3rem) 6rem;
  background: var(--paper); color: var(--ink); font: 400 1.0625rem/1.6 var(--sans);
}
p, li, dd { max-width: 44rem; overflow-wrap: anywhere; }
h1, h2 { font-family: var(--serif); font-weight: 600; text-wrap: balance; letter-spacing: -.011em; }
h1 { margin: .35em 0 .6em; font-size: clamp(1.6rem, 1.2rem + 1.8vw, 2.4rem); line-height: 1.18; max-width: 26em; }
h2 { margin: 0 0 .6em; font-size: clamp(1.4rem, 1.15rem + 1.1vw, 1.85rem); line-height: 1.2; }
h3 { margin: 2.2rem 0 .8rem; font-size: 1.05rem; line-height: 1.3; }
h4 { margin: 0 0 .3rem; font-size: .95rem; line-height: 1.35; }
a { color: var(--arm-a); text-underline-offset: .18em; text-decoration-thickness: .06em; }
:focus-visible { outline: 3px solid var(--arm-a); outline-offset: 3px; border-radius: 3px; }
code, pre { font-family: var(--mono); font-size: .86em; }
pre { overflow-x: auto; padding: 1rem 1.2rem; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
section { margin-top: clamp(2.6rem, 5vw, 3.8rem); }
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: 1rem; padding: .6rem 1rem; background: var(--card); z-index: 1; }
.eyebrow { margin: 0; color: var(--muted); font-size: .8rem; font-weight: 600; letter-spacing: .09em; text-transform: uppercase; }
.lead { font-size: 1.3rem; line-height: 1.45; font-weight: 500; }
.note { color: var(--muted); font-size: .95rem; }
.warning { margin: 1rem 0; padding: .75rem 1.1rem; background: var(--open-tint); border-radius: 8px; max-width: 46rem; }
.warning p { margin: 0; }
.loud { background: var(--bad-tint); color: var(--bad); font-weight: 700; }
.answer { margin: 1.6rem 0 0; max-width: 52rem; }
.answer div { padding: .7rem 0; border-top: 1px solid var(--line); display: grid; grid-template-columns: 9.5rem minmax(0, 1fr); gap: .2rem 1.4rem; }
.answer dt { font-weight: 600; }
.answer dd { margin: 0; max-width: none; font-size: .98rem; line-height: 1.5; }
.answer p { margin: 0 0 .3rem; max-width: none; }
.finding { display: block; font-size: .8rem; font-weight: 500; color: var(--muted); }
.f-differs { color: var(--bad); } .f-equal { color: var(--good); } .f-open { color: var(--open); }
.facts { display: flex; flex-wrap: wrap; gap: .4rem 2.2rem; margin: 1.8rem 0 0; padding: 1rem 0 0; border-top: 1px solid var(--line); }
.facts dt { color: var(--muted); font-size: .78rem; }
.facts dd { margin: 0; font-size: .95rem; font-variant-numeric: tabular-nums; }
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; padding: 0; margin: 1.6rem 0 0; list-style: none; font-size: .95rem; }
nav a { display: inline-block; padding: .25rem 0; }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.6rem; padding: 0; margin: 0 0 1rem; list-style: none; font-size: .9rem; color: var(--muted); }
.s-a { --swatch: var(--arm-a); } .s-b { --swatch: var(--arm-b); } .s-c { --swatch: var(--control); }
.legend li::before { content: ""; display: inline-block; width: .7em; height: .7em; margin-right: .5em; border-radius: 50%; background: var(--swatch); }
.legend .dashed::before { width: 1.3em; height: 0; border-radius: 0; background: none; border-top: 2px dashed var(--swatch); vertical-align: .25em; }
.legend .band::before { border-radius: 2px; width: 1.3em; background: var(--band); outline: 1px solid var(--line); }
.chip {
  padding: .22rem .7rem; border-radius: 99px; font-size: .86rem; font-weight: 600; line-height: 1.4;
  color: var(--tone); background: var(--tint);
  --tone: var(--quiet); --tint: var(--quiet-tint);
}
.v-equivalent, .v-faster { --tone: var(--good); --tint: var(--good-tint); }
.v-slower { --tone: var(--bad); --tint: var(--bad-tint); }
.v-not-judged { --tone: var(--muted); --tint: transparent; font-weight: 400; }
.v-inconclusive { --tone: var(--open); --tint: var(--open-tint); }
td .chip { padding: .1rem .6rem; }
.mini { width: 7.6rem; height: 1.25rem; display: block; }
td:has(> .mini) { vertical-align: middle; }
.mini .m { fill: var(--band); }
.mini .z { stroke: currentColor; stroke-opacity: .45; }
.mini path.b { stroke: var(--arm-b); stroke-width: 3; stroke-linecap: round; }
.mini path.c { stroke: var(--control); stroke-width: 1.5; stroke-linecap: round; }
.mini circle.b, .mini .b.tip { fill: var(--arm-b); stroke: none; }
.mini circle.c, .mini .c.tip { fill: var(--control); stroke: none; }
.strip { width: 100%; font-size: 11px; fill: currentColor; }
.strip .d { stroke-width: 7; stroke-linecap: round; stroke-opacity: .45; fill: none; }
.strip .t { stroke-width: 2.5; }
.strip .o { fill: none; stroke: currentColor; }
.strip .e { text-anchor: end; }
.strip .a { stroke: var(--arm-a); } .strip .b { stroke: var(--arm-b); } .strip .a2 { stroke: var(--control); }
.plot { display: block; height: auto; max-width: 100%; }
.plot text { white-space: pre; }
figcaption strong { color: var(--ink); }
figure { margin: 1.2rem 0 0; }
figure svg { display: block; max-width: 100%; height: auto; }
figcaption { color: var(--muted); font-size: .92rem; max-width: 44rem; margin-bottom: .8rem; }
.narrow { display: none; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 19.5rem), 1fr)); gap: 1.1rem; margin-top: 1.2rem; }
.card { margin: 0; padding: 1rem 1.1rem .8rem; background: var(--card); border: 1px solid var(--line); border-radius: 10px; min-width: 0; }
.card figcaption { margin-bottom: .5rem; font-size: .88rem; }
.scroll { overflow-x: auto; margin: 1.2rem 0 0; max-width: 100%; }
table { border-collapse: collapse; min-width: min(100%, 44rem); font-size: .86rem; line-height: 1.4; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--muted); padding-bottom: .6rem; }
th { font-weight: 600; text-align: left; vertical-align: bottom; border-bottom: 1.5px solid var(--line); }
th, td { padding: .36rem .95rem .36rem 0; }
.figure { white-space: nowrap; }
thead th { min-width: 4.6rem; }
.group th { padding-top: 1.3rem; font: 600 1.05rem/1.3 var(--serif); border-bottom: 1.5px solid var(--line); }
.notes td { padding: 0 0 .6rem; color: var(--muted); border-bottom: 1px solid var(--line); }
.notes p { margin: 0 0 .15rem; max-width: 52rem; }
tr:has(+ .notes) > td, tr:has(+ .more) > td { border-bottom: 0; }
.failed { color: var(--bad); font-weight: 600; }
th:last-child, td:last-child { padding-right: 0; }
td, tbody th { border-bottom: 1px solid var(--line); vertical-align: baseline; }
tbody th { font-weight: 500; min-width: 8.5rem; }
thead .number { white-space: normal; }
.number { text-align: right; white-space: nowrap; }
details { margin-top: 1.2rem; }
summary { cursor: pointer; color: var(--arm-a); padding: .3rem 0; width: fit-content; }
details > :nth-child(2) { margin-top: .6rem; }
dl.words { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .9rem 1.4rem; margin: 1.4rem 0; align-items: baseline; }
dl.words dd { margin: 0; }
.claim { font: 600 1.15rem/1.45 var(--serif); }
.why { font-size: .82rem; color: var(--muted); }
.verdicts td:nth-child(2) { min-width: 22rem; }
.verdicts .chip { white-space: nowrap; }
.scenario { margin-top: 1.6rem; }
.scenario .scroll { margin-top: .4rem; }
.scenario > .note { margin: .5rem 0 0; font-size: .85rem; }
.matrix { min-width: 0; }
.matrix th, .matrix td { padding: .3rem .7rem .3rem 0; vertical-align: top; min-width: 4.4rem; }
.matrix small { color: var(--muted); }
.outcome { display: inline-block; margin: .05rem .25rem .05rem 0; padding: 0 .45rem; border: 1.5px solid; border-radius: 5px; white-space: nowrap; color: var(--quiet); }
.o-clean { color: var(--good); }
.o-leak, .o-use-after-finalize { color: var(--open); }
.o-use-after-free, .o-abort { color: var(--bad); font-weight: 650; }
.outcome:is(.o-use-after-finalize, .o-use-after-free) { border-style: dashed; }
.outcome.o-abort { border-style: double; border-width: 3px; }
.glance { min-width: 0; font-size: .8rem; }
.glance th, .glance td { padding: .16rem .3rem; }
.glance td { text-align: center; min-width: 1.7rem; font-weight: 600; }
.glance td:nth-child(4n + 2), .glance thead th { border-left: 1.5px solid var(--line); }
.mark { color: var(--muted); font-size: .75em; }
dl.in-c { font-size: .9rem; gap: .3rem 1.4rem; }
footer { margin-top: 5rem; padding-top: 1.2rem; border-top: 1px solid var(--line); color: var(--muted); font-size: .9rem; }
@media (max-width: 50rem) {
  .answer div { grid-template-columns: minmax(0, 1fr); }
  .finding { display: inline; margin-left: .4rem; }
  .verdicts td:nth-child(2) { min-width: 0; }
  .verdicts tbody th { min-width: 2.4rem; }
  .matrix { font-size: .7rem; }
  .matrix th, .matrix td { min-width: 0; padding-right: .25rem; }
  .matrix .outcome { white-space: normal; padding: 0 .2rem; margin-right: 0; }
  .glance tbody th { min-width: 0; padding-left: 0; }
  .glance th, .glance td { padding: .16rem .1rem; min-width: 0; }
  .wide { display: none; }
  .narrow { display: block; }
  dl.words { grid-template-columns: minmax(0, 1fr); gap: .3rem; }
  dl.words dd { margin-bottom: .9rem; }
  .stacks, .stacks caption, .stacks tbody, .stacks tr, .stacks th, .stacks td { display: block; min-width: 0; }
  .stacks thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .stacks tbody th { padding: .9rem 0 .2rem; border-bottom: 0; font-weight: 600; }
  .stacks .group th { padding-top: 1.6rem; border-bottom: 1.5px solid var(--line); }
  .stacks td { padding: .12rem 0; border-bottom: 0; text-align: left; white-space: normal; }
  .stacks td[data-label] { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: 0 1rem; }
  .stacks td[data-label]::before { content: attr(data-label); color: var(--muted); }
  .stacks td.figure { margin-top: .3rem; color: var(--muted); font-style: italic; }
  .stacks .empty { display: none; }
  .stacks .notes td { padding: .3rem 0 .7rem; border-bottom: 1px solid var(--line); }
}
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav, .skip { display: none; }
  .card, figure, tr { break-inside: avoid; }
  h2, h3, figcaption { break-after: avoid; }
  .scroll { overflow: visible; }
  section { margin-top: 1.6rem; }
}
`;
