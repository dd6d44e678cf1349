/**
 * The answer of a run in words, for readers who have to choose between the two patterns. Derived from the data by rule.
 */
import { hazardsOf } from "./hazards.ts";
import { type ReportRow, rowsOf } from "./rows.ts";
import { UNCOPIED } from "./rules/questions.ts";
import { isDecided, isDifference, isShown, spreadOf } from "./rules/verdict.ts";
import {
  type Metric,
  type Quantity,
  type Question,
  type RetentionScenario,
  type Run,
  SUITES,
  type Suite,
} from "./schema.ts";
import {
  capital,
  clause,
  countOf,
  differenceUnit,
  equalReads,
  formatCounts,
  formatEffect,
  formatInterval,
  formatMargin,
  formatNumber,
  formatSigned,
  formNames,
  listOf,
  QUANTITY_NAMES,
  questionTitle,
  SUITE_TITLES,
  verdictClaim,
} from "./words.ts";

/** What the run found on a topic. */
export type Finding = "differs" | "equal" | "open" | "not measured";

export interface AnswerPart {
  readonly topic: "Time" | "Memory" | "Code size" | "Lifetime hazards";
  readonly finding: Finding;
  readonly sentences: readonly string[];
}

export interface Answer {
  /** One or two sentences shown above everything else. */
  readonly lead: string;
  /** Empty if an equivalence proof failed. */
  readonly parts: readonly AnswerPart[];
}

export function answer(run: Run): Answer {
  const failed = run.equivalence.filter(({ equal }) => !equal).map(({ workload }) => workload);
  if (failed.length > 0) {
    return {
      lead:
        `The two forms are not equivalent: ${listOf(failed)} behaved differently. ` +
        "No times are reported, because they would compare different work.",
      parts: [],
    };
  }
  const parts = [timePart(run), memoryPart(run), codeSizePart(run), hazardPart(run)];
  return { lead: leadOf(run, parts), parts };
}

function leadOf(run: Run, parts: readonly AnswerPart[]): string {
  const { A, B } = run.options.forms;
  const topics = (finding: Finding) =>
    parts.filter((part) => part.finding === finding).flatMap(({ topic }) => topicWords(run, topic, finding));
  const [differs, equal, open] = [topics("differs"), topics("equal"), topics("open")];
  const timeIsEqual = parts.some(({ topic, finding }) => topic === "Time" && finding === "equal");
  const constructed = timeIsEqual
    ? SUITES.filter((suite) => timeRows(run).some((row) => row.suite === suite && isConstructed(row)))
    : [];
  const sentences = [
    ...(differs.length > 0 ? [`${capital(B)} and ${A} differ in ${listOf(differs)}.`] : []),
    ...(equal.length > 0
      ? [`${differs.length > 0 ? "They" : `${capital(B)} and ${A}`} are equal in ${listOf(equal)}.`]
      : []),
    ...constructedSentence(run, constructed),
    ...unsettledSentence(run, parts, open),
  ];
  if (sentences.length === 0) {
    return run.metrics.some(({ source }) => source === "qemu")
      ? "This run has figures of QEMU alone; `regionlab report RUN --qemu` puts them beside those of this emulator."
      : "Nothing was measured that could tell the patterns apart.";
  }
  if (A !== B) return [...sentences, ...choiceSentences(run)].join(" ");
  const settled = "No difference was found, as expected.";
  const unsettled = `No difference was found, but ${listOf(open)} ${open.length === 1 ? "is" : "are"} not settled: this run could have missed one there.`;
  const found = differs.length > 0 ? sentences.join(" ") : open.length > 0 ? unsettled : settled;
  return `Both arms are the ${A} form, so every difference below is a measurement error. ${found}`;
}

/**
 * What the findings mean for a choice between the patterns: which form costs more where this run decides, and which ends
 * in the worse lifetime bugs.
 */
function choiceSentences(run: Run): string[] {
  const rows = headlines(run).filter(isDecided);
  const costs = (["A", "B"] as const).flatMap((arm) => costsMore(run, rows, arm));
  const remains = remainsOf(run)?.differs === true ? ["what is left after the rounds differs"] : [];
  const cost = [...costs, ...remains];
  if (cost.length === 0 && run.lifetimes.length === 0) return []; // all has been said
  const none = rows.length === 0 ? "this run decides no cost" : "no cost that this run decides differs";
  return [`To choose: ${[...(cost.length === 0 ? [none] : cost), ...bugWords(run)].join("; ")}.`];
}

/** Where a form costs more than the other, and by how much at most; empty if nowhere. */
function costsMore(run: Run, rows: readonly ReportRow[], arm: "A" | "B"): string[] {
  const dearer = rows.filter(({ verdict }) => verdict === (arm === "B" ? "slower" : "faster"));
  const memory = dearer.filter((row) => quantityOf(row) === "memory");
  const others = dearer.filter((row) => quantityOf(row) !== "memory");
  const name = formNames(run)[arm];
  return [
    ...(others.length === 0 ? [] : [`${name} costs more in ${costWords(others)}`]),
    ...(memory.length === 0 ? [] : [`${name} retains more memory in ${countOf(memory.length, "question")}`]),
  ];
}

/** How many questions, of what, and by how much at most, if all are differences in per cent. */
function costWords(rows: readonly ReportRow[]): string {
  const quantities = unique(rows.flatMap((row) => quantityOf(row) ?? []));
  const words = `${countOf(rows.length, "question")} of ${listOf(quantities.map((each) => QUANTITY_NAMES[each]))}`;
  const bounds = boundsOf(rows, "cheaper");
  if (bounds.length < rows.length) return words;
  return `${words}, by at most ${formatNumber(Math.max(...bounds))}\u00a0%`;
}

/** In how many lifetime scenarios each form ends in the worse faults; empty if none was run. */
function bugWords(run: Run): string[] {
  if (run.lifetimes.length === 0) return [];
  const { worse } = hazardsOf(run);
  const names = formNames(run);
  const ends = (["A", "B"] as const)
    .filter((arm) => worse[arm] > 0)
    .map((arm) => `with ${names[arm]} in ${countOf(worse[arm], "case")}`);
  return [
    ends.length === 0
      ? "no lifetime scenario ends in worse faults in one form than in the other"
      : `of the lifetime scenarios that end in different faults, the worse come ${listOf(ends)} (listed below)`,
  ];
}

/** Largest sizes of the differences found in per cent: of B against A, or of the dearer form against the other. */
function boundsOf(rows: readonly ReportRow[], base: "A" | "cheaper" = "A"): number[] {
  return rows.flatMap(({ deciding, verdict }) => {
    if (deciding?.scale !== "percent" || !isDifference(verdict)) return [];
    const { ab } = deciding.comparison;
    return [base === "cheaper" && verdict === "faster" ? 100 * (100 / (100 + ab.low) - 1) : spreadOf(ab)];
  });
}

/** What a finding is about: the quantities that were judged, not more. */
function topicWords(run: Run, topic: AnswerPart["topic"], finding: Finding): string[] {
  if (topic === "Time") return timeTopics(run, finding);
  if (topic !== "Memory") return [topic.toLowerCase()];
  return [finding === "differs" ? "memory retained" : "heap growth"];
}

/** Topics of which nothing is settled, and how many questions of the others are not. */
function unsettledSentence(run: Run, parts: readonly AnswerPart[], topics: readonly string[]): string[] {
  const isOpen = (topic: AnswerPart["topic"]) =>
    parts.some((part) => part.topic === topic && part.finding === "open");
  const questions = headlines(run).filter(
    (row) => !isDecided(row) && !isOpen(quantityOf(row) === "memory" ? "Memory" : "Time"),
  ).length;
  const open = [...topics, ...(questions > 0 ? [`${countOf(questions, "question")} (see below)`] : [])];
  return open.length === 0 ? [] : [`Not settled by this run: ${listOf(open)}.`];
}

/** What the equality by construction covers: the reads of region fields, not all that a time depends on. */
function constructedSentence(run: Run, suites: readonly Suite[]): string[] {
  if (suites.length === 0) return [];
  const rows = timeRows(run).filter(isConstructed);
  const strays = rows.filter((row) => strayTime(row) !== null).length;
  const yet =
    strays === 0 ? "" : `, though ${countOf(strays, "time")} ${strays === 1 ? "differs" : "differ"}`;
  return [
    `In ${formatNumber(rows.length)} ${rows.length === 1 ? "access" : "accesses"} of ${listOf(suites)}, neither form reads a region field: by construction, where regions lie cannot matter there${yet}.`,
  ];
}

/** Headline rows about cost: decided by a time, by the instructions of the same work, or by reads of region fields. */
function timeRows(run: Run): ReportRow[] {
  return headlines(run).filter((row) => quantityOf(row) !== "memory");
}

/** Whether a row is equal by construction: decided by reads of region fields, of which neither form makes any. */
function isConstructed({ deciding, verdict }: ReportRow): boolean {
  return verdict === "equivalent" && deciding?.quantity === "reads" && deciding.byConstruction !== null;
}

/**
 * The quantities behind a finding on time: if only instructions or reads were judged, the answer must not say “time”.
 */
function timeTopics(run: Run, finding: Finding): string[] {
  if (finding === "open") return ["time"];
  const rows = timeRows(run).filter((row) =>
    finding === "differs" ? isDifference(row.verdict) : !isConstructed(row),
  );
  const quantities = new Set(rows.map(quantityOf));
  const order: readonly Quantity[] = ["time", "count", "reads"];
  return order.filter((each) => quantities.has(each)).map((each) => QUANTITY_NAMES[each]);
}

function timePart(run: Run): AnswerPart {
  const rows = timeRows(run);
  if (rows.length === 0) return notMeasured("Time", `No time was measured${asked(run)}.`);
  const suites = SUITES.flatMap((suite) => {
    const ofSuite = rows.filter((row) => row.suite === suite);
    return ofSuite.length === 0 ? [] : [`${SUITE_TITLES[suite]}: ${findingsOf(run, ofSuite)}.`];
  });
  const scope = run.metrics.some(({ source }) => source === "qemu")
    ? "All of this applies to this emulator under V8; figures of QEMU in C have columns of their own."
    : "All of this applies to this emulator under V8, not to QEMU in C.";
  return {
    topic: "Time",
    finding: findingOf(rows),
    sentences: [
      ...suites,
      ...untimedSentence(rows),
      ...boundSentence(rows),
      ...uncopiedSentence(run),
      ...(rows.some(isConstructed) ? readingSentence(run) : []),
      ...straySentences(run, rows),
      ...openSentences(rows),
      scope,
    ],
  };
}

/** Says so if questions have counts, and none has a time. */
function untimedSentence(rows: readonly ReportRow[]): string[] {
  const has = (quantity: Quantity) =>
    rows.some(({ figures }) => figures.some((each) => each.quantity === quantity));
  return has("time") || !has("count") ? [] : ["No time was measured: instructions stand in its place."];
}

/** What the equality of dispatch does not cover: a dispatcher in which the location of a region can matter. */
function uncopiedSentence(run: Run): string[] {
  const sizeOf = ({ name }: Metric) => Number(name.replace(/\D/g, ""));
  const metrics = run.metrics
    .filter(
      ({ suite, name, quantity, source }) =>
        suite === "dispatch" && name.startsWith(UNCOPIED) && quantity === "time" && source === "regionlab",
    )
    .sort((one, other) => sizeOf(one) - sizeOf(other));
  if (metrics.length === 0) return [];
  const { A, B } = formNames(run);
  const rows = metrics.map(
    ({ name, comparison: { ab, aa } }) =>
      `${name.replace(`${UNCOPIED}, `, "").replace(" scattered", "")} ${formatSigned(ab.estimate)} (${formatInterval(ab)}; control ${formatInterval(aa)})`,
  );
  const apart = metrics.filter(({ comparison: { ab, aa } }) => ab.low > aa.high || ab.high < aa.low).length;
  const reads = run.fieldReads.find(({ access }) => access === UNCOPIED)?.reads.A;
  const sees =
    apart === 0
      ? "no interval is apart from that of the control"
      : `${apart} of ${metrics.length} intervals ${apart === 1 ? "is" : "are"} apart from that of the control, so there may be a difference`;
  return [
    `A dispatcher that copies nothing, as QEMU's, ${reads === undefined ? "reads region fields" : `reads ${countOf(reads, "region field")}`} ` +
      `for each access, and is a question of its own: its times are shown, not judged. ${capital(B)} against ${A}, in\u00a0%, and in ` +
      `parentheses the interval and that of ${A} against itself: ${rows.join("; ")}; ${sees}.`,
  ];
}

/** Accesses that do read region fields, so that neither their equality nor what it means is by construction. */
function readingSentence({ fieldReads }: Run): string[] {
  const reading = fieldReads.filter(({ reads }) => reads.A > 0 || reads.B > 0);
  if (reading.length === 0) return [];
  const told = reading.map(
    ({ access, reads: { A, B } }) => `\u201c${access}\u201d (${A === B ? A : `${A} and ${B}`})`,
  );
  return [
    `By construction means accesses that read no region field. Others read some, and where regions lie could matter to them: ${listOf(told)}.`,
  ];
}

/** An upper bound for all differences, if there are several. */
function boundSentence(rows: readonly ReportRow[]): string[] {
  const bounds = boundsOf(rows);
  if (bounds.length < 2) return [];
  return [`None of these differences is larger than ${formatNumber(Math.max(...bounds))}\u00a0%.`];
}

/** The time of a row whose reads are equal, if it differs for certain; null if it does not. */
export function strayTime({ deciding, figures, verdict }: Omit<ReportRow, "role">): Metric | null {
  const time = figures.find(({ quantity }) => quantity === "time");
  if (deciding?.quantity !== "reads" || verdict !== "equivalent" || time === undefined) return null;
  return isShown(time.comparison.ab) ? time : null;
}

/** Times that differ for certain although the deciding reads are equal: the form of the regions is not the cause. */
function straySentences(run: Run, rows: readonly ReportRow[]): string[] {
  const names = formNames(run);
  const strays = rows.flatMap((row) => {
    const time = strayTime(row);
    if (time === null || row.deciding === null) return [];
    const { ab, aaSpread } = time.comparison;
    const unit = differenceUnit(time);
    // The control says how far a form may differ from itself.
    const control =
      Math.abs(ab.estimate) > aaSpread
        ? ""
        : `, where ${names.A} may differ from itself by up to ${formatNumber(aaSpread)}\u00a0${unit}`;
    const { a, b } = row.deciding.comparison.ab.figures;
    const why =
      a === 0 && b === 0
        ? "neither form reads a region field"
        : "both forms read the same number of region fields";
    return [{ why, text: `in ${quoted(time)} by ${formatEffect(ab, unit)}${control}` }];
  });
  return unique(strays.map(({ why }) => why)).map((why) => {
    const texts = strays.filter((stray) => stray.why === why).map(({ text }) => text);
    return (
      `The time of ${names.B} differs from that of ${names.A} ${texts.join("; ")}, although ${why}; ` +
      "the cause lies elsewhere (memory layout, compiled code)."
    );
  });
}

function memoryPart(run: Run): AnswerPart {
  const rows = headlines(run).filter((row) => quantityOf(row) === "memory");
  const remains = remainsOf(run);
  if (rows.length === 0 && remains === null) {
    return notMeasured("Memory", `No memory was measured${asked(run, "retention")}.`);
  }
  const sentences = [
    rows.length === 0 ? "Heap growth was not measured." : `Heap growth: ${findingsOf(run, rows)}.`,
    ...(remains === null ? [] : [remains.text]),
    ...openSentences(rows),
  ];
  const measured = rows.length === 0 ? "open" : findingOf(rows);
  return {
    topic: "Memory",
    finding: remains?.differs === true ? "differs" : measured,
    sentences,
  };
}

function codeSizePart({ codeSize, options: { forms } }: Run): AnswerPart {
  if (codeSize.length === 0)
    return notMeasured("Code size", "The sources of the two forms were not compared.");
  if (forms.A === forms.B) return notMeasured("Code size", "Both arms have the same sources.");
  const sum = (form: "embedded" | "owned", member: "lines" | "regionFields") =>
    codeSize.reduce((total, device) => total + device[form][member], 0);
  const lines = { A: sum(forms.A, "lines"), B: sum(forms.B, "lines") };
  const fields = { A: sum(forms.A, "regionFields"), B: sum(forms.B, "regionFields") };
  const change = (from: number, to: number) =>
    from === to ? "the same number" : `${formatNumber(to)} against ${formatNumber(from)}`;
  const percent =
    lines.A === 0 || lines.A === lines.B ? "" : ` (${formatSigned(100 * (lines.B / lines.A - 1))}\u00a0%)`;
  return {
    topic: "Code size",
    finding: lines.A === lines.B && fields.A === fields.B ? "equal" : "differs",
    sentences: [
      `Over ${countOf(codeSize.length, "device")}, ${forms.B} against ${forms.A}: region fields, ` +
        `${change(fields.A, fields.B)}; lines, ${change(lines.A, lines.B)}${percent}.`,
    ],
  };
}

function hazardPart(run: Run): AnswerPart {
  if (run.lifetimes.length === 0) return notMeasured("Lifetime hazards", "No lifetime scenario was run.");
  const { differ, sentences } = hazardsOf(run);
  return { topic: "Lifetime hazards", finding: differ ? "differs" : "equal", sentences };
}

/** What is equal, within which margin, and what differs, by how much; open questions are left out. */
function findingsOf(run: Run, rows: readonly ReportRow[]): string {
  const names = formNames(run);
  const equal = rows.filter(({ verdict }) => verdict === "equivalent");
  const different = rows.filter(({ verdict }) => isDifference(verdict));
  const figures = equal.flatMap(({ deciding }) => deciding ?? []);
  const reads = figures.filter(({ quantity }) => quantity === "reads");
  const others = figures.filter(({ quantity }) => quantity !== "reads");
  const marginWords = (metric: Metric) =>
    `${formatMargin(metric)}${metric.quantity === "count" ? ` of ${QUANTITY_NAMES.count}` : ""}`;
  const isOneQuantity = new Set(others.map(({ quantity }) => quantity)).size === 1;
  // Margins of one quantity are listed together; else each says how many questions it is for.
  const margins = countsOf(others, marginWords);
  const equals = isOneQuantity ? new Map([[listOf([...margins.keys()]), others.length]]) : margins;
  const where = (count: number) => {
    if (rows.length === 1) return "in the only question";
    return `in ${count === rows.length ? `all ${count}` : `${count} of ${rows.length}`} questions`;
  };
  const clauses = [
    ...[...countsOf(reads, equalReads)].map(
      ([words, count]) => `${words}${words.includes(",") ? "," : ""} ${where(count)}`,
    ),
    ...[...equals].map(([words, count]) => `equal within ${words} ${where(count)}`),
    ...differencesOf(different, names),
  ];
  if (clauses.length > 0) return clauses.join("; ");
  return rows.length === 1 ? "the only question is undecided" : `none of ${rows.length} questions is decided`;
}

/** How many figures are told in the same words, in the order of the first of each. */
function countsOf(metrics: readonly Metric[], wordsOf: (metric: Metric) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const words of metrics.map(wordsOf)) counts.set(words, (counts.get(words) ?? 0) + 1);
  return counts;
}

/** Differences that are listed one by one; the rest are only counted. */
const MOST_TOLD = 6;

/** The differences with their figures, or the largest of them if there are many. */
function differencesOf(rows: readonly ReportRow[], names: { A: string; B: string }): string[] {
  const metrics = rows.flatMap(({ deciding }) => deciding ?? []);
  const size = ({ comparison: { ab } }: Metric) => Math.abs(ab.estimate);
  const sorted = metrics.length > MOST_TOLD ? [...metrics].sort((a, b) => size(b) - size(a)) : metrics;
  const told = sorted
    .slice(0, MOST_TOLD)
    .map(
      (metric) =>
        `${differenceWords(metric, names)}, ${formatEffect(metric.comparison.ab, differenceUnit(metric))}`,
    );
  const rest = metrics.length - told.length;
  return rest > 0 ? [...told, `${rest} more differ by less (see the table)`] : told;
}

/** In which question the forms differ, and which takes more, without figures. */
export function differenceWords(metric: Metric, names: { A: string; B: string }): string {
  return `in ${quoted(metric)} ${verdictClaim(metric, names)}`;
}

function quoted(question: Question): string {
  return `\u201c${questionTitle(question)}\u201d`;
}

/** Every open row by name, with its reason; rows with the same reason are listed together. */
function openSentences(rows: readonly ReportRow[]): string[] {
  const reasons = new Map<string, string[]>();
  for (const row of rows.filter((each) => !isDecided(each))) {
    const reason = reasonOf(row);
    reasons.set(reason, [...(reasons.get(reason) ?? []), quoted(row)]);
  }
  if (reasons.size === 0) return [];
  const said = [...reasons].map(([reason, titles]) => `${listOf(titles)} (${clause(reason)})`);
  return [`Not decided: ${said.join("; ")}.`];
}

/**
 * Why a row is open: the reason of its deciding figure. If that is missing, the reasons of the omissions that would have
 * decided; if there is no such omission, that of the figures that are there, a time first.
 */
export function reasonOf({ deciding, figures, omissions }: Omit<ReportRow, "verdict" | "role">): string {
  if (deciding !== null) return deciding.comparison.reason ?? "no reason was recorded";
  const missing = omissions.filter(({ decides }) => decides);
  if (missing.length > 0) return unique(missing.map(({ reason }) => reason)).join(" ");
  const [first] = [...figures].sort((a, b) => Number(b.quantity === "time") - Number(a.quantity === "time"));
  return first?.comparison.reason ?? "no figure was meant to decide this question";
}

function findingOf(rows: readonly ReportRow[]): Finding {
  if (rows.some(({ verdict }) => isDifference(verdict))) return "differs";
  return rows.every(isDecided) ? "equal" : "open";
}

/** What is left after the rounds of retention; null if it was not measured. */
export function remainsOf(run: Run): { text: string; differs: boolean } | null {
  if (run.retention.length === 0) return null;
  const different = run.retention.filter((scenario) => traits(scenario, "A") !== traits(scenario, "B"));
  if (different.length === 0) {
    const where = run.retention.length === 1 ? "the only scenario" : `all ${run.retention.length} scenarios`;
    return { text: `The objects and blocks left after the rounds are the same in ${where}.`, differs: false };
  }
  const names = listOf(different.map(({ scenario }) => scenario));
  return {
    text: `Objects or blocks left after the rounds, or uses of what has ended, differ in ${names}.`,
    differs: true,
  };
}

/** What an arm leaves after the rounds, as a text to compare. */
function traits({ arms }: RetentionScenario, arm: "A" | "B"): string {
  const { objects, blocksUnfreed, modelledLeakedBytes, usesAfterFinalize, usesAfterFree } = arms[arm];
  const alive = objects.map((item) => `${item.className} ${formatCounts(item.alive)}`).sort();
  const others = [blocksUnfreed, modelledLeakedBytes, usesAfterFinalize, usesAfterFree].map(formatCounts);
  return [...alive, ...others].join(" ");
}

function headlines(run: Run): ReportRow[] {
  return rowsOf(run).filter(({ role }) => role === "headline");
}

/** The quantity that decides a row, even if the deciding figure is missing. */
function quantityOf({ deciding, figures, omissions }: ReportRow) {
  return (deciding ?? omissions.find(({ decides }) => decides) ?? figures[0] ?? omissions[0])?.quantity;
}

/** The reason to add if a suite was left out on request; else empty. */
function asked({ options: { suites } }: Run, suite?: Suite): string {
  if (suites.length === 0) return ", because this run was asked for instruction counts only";
  const left = suite === undefined ? suites.every((each) => each === "retention") : !suites.includes(suite);
  return left ? `, because this run was asked for ${listOf(suites)} only` : "";
}

function notMeasured(topic: AnswerPart["topic"], sentence: string): AnswerPart {
  return { topic, finding: "not measured", sentences: [sentence] };
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
