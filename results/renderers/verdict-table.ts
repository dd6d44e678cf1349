/** The table of verdicts: every question with all figures that answer it, and with those that are missing. */
import { reasonOf, strayTime } from "../answer.ts";
import { tooFewToCompare } from "../merged-figures.ts";
import { type ReportRow, rowsOf } from "../rows.ts";
import { isDecided } from "../rules/verdict.ts";
import {
  type Metric,
  type Omission,
  QUANTITIES,
  type Quantity,
  type Run,
  SUITES,
  type Verdict,
} from "../schema.ts";
import {
  capital,
  clause,
  formatEffect,
  formatFigures,
  formatInterval,
  formatLevel,
  formNames,
  listOf,
  QUANTITY_NAMES,
  questionTitle,
  SUITE_TITLES,
  sentence,
  verdictChip,
} from "../words.ts";
import type { Row, Table } from "./table-model.ts";

/** Shown in a cell without a figure. */
const NONE = "\u2013";

/** @param roles which questions to show */
export function verdictTable(run: Run, caption: string, roles: readonly Metric["role"][]): Table {
  const names = formNames(run);
  const rows = questionsOf(run).filter(({ role }) => roles.includes(role));
  const shown = rows.flatMap(({ lines }) => lines);
  const withQemu = shown.some(({ qemu }) => qemu !== null);
  const interval = `(${levelWords(shown)})`;
  const head = [
    "Question",
    "Figure",
    names.A,
    names.B,
    `Difference ${interval}`,
    "A against itself",
    "Verdict",
  ];
  const qemuHead = [names.A, names.B, `difference ${interval}`, "verdict"].map(
    (text) => `QEMU in C: ${text}`,
  );
  return {
    caption,
    head: withQemu ? [...head, ...qemuHead] : head,
    numeric: [false, false, true, true, true, true, false, ...(withQemu ? [true, true, true, false] : [])],
    verdictColumn: 6,
    rows: SUITES.flatMap((suite) =>
      rows
        .filter((row) => row.suite === suite)
        .flatMap((row, i) => questionRows(row, run, withQemu, i === 0 ? SUITE_TITLES[suite] : null)),
    ),
  };
}

/** One quantity of a question: our figure, and QEMU's. */
interface Line {
  readonly quantity: Quantity;
  readonly ours: Metric | Omission | null;
  readonly qemu: Metric | Omission | null;
}

interface TableQuestion extends Omit<ReportRow, "figures"> {
  readonly lines: readonly Line[];
}

/** Questions in the order of the run; the deciding quantity of each first. */
function questionsOf(run: Run): TableQuestion[] {
  const title = (row: ReportRow) => `${row.suite}/${questionTitle(row)}`;
  const ours = rowsOf(run);
  const theirs = rowsOf(run, "qemu");
  const known = new Set(ours.map(title));
  return [...ours, ...theirs.filter((row) => !known.has(title(row)))].map((row) => {
    const isTheirs = !known.has(title(row));
    const mine = isTheirs ? [] : [...row.figures, ...row.omissions];
    const other = theirs.find((each) => title(each) === title(row));
    const qemu = other === undefined ? [] : [...other.figures, ...other.omissions];
    const quantities = new Set([...mine, ...qemu].map(({ quantity }) => quantity));
    const first = row.deciding?.quantity ?? row.omissions.find(({ decides }) => decides)?.quantity;
    const order = [...QUANTITIES].sort((a, b) => Number(b === first) - Number(a === first));
    const find = (figures: readonly (Metric | Omission)[], quantity: Quantity) =>
      figures.find((figure) => figure.quantity === quantity) ?? null;
    return {
      ...row,
      lines: order
        .filter((quantity) => quantities.has(quantity))
        .map((quantity) => ({ quantity, ours: find(mine, quantity), qemu: find(qemu, quantity) })),
    };
  });
}

function questionRows(question: TableQuestion, run: Run, withQemu: boolean, group: string | null): Row[] {
  const last = question.lines.length - 1;
  return question.lines.map((line, i) => {
    const { ours, qemu } = line;
    const verdict = verdictOf(line, question, i === 0);
    const metric = isMetric(ours) ? ours : null;
    const cells = [
      i === 0 ? questionTitle(question) : "",
      figureWords(line),
      ...figureCells(ours),
      metric === null ? NONE : controlCell(metric),
      verdict === null ? NONE : verdictChip(verdict, metric),
      ...(withQemu ? [...figureCells(qemu), qemuVerdict(qemu)] : []),
    ];
    return {
      cells,
      ...(verdict === null ? {} : { verdict }),
      ...(group !== null && i === 0 ? { group } : {}),
      ...(i > 0 ? { continues: true } : {}),
      ...(i === last ? { notes: notesOf(question, run) } : {}),
      ...(metric === null
        ? {}
        : { picture: { ab: metric.comparison.ab, aa: metric.comparison.aa, margin: metric.margin } }),
    };
  });
}

/**
 * The verdict to show in a line: that of its figure, or if its deciding figure is missing, that of the question. If no
 * figure was meant to decide, the first line shows that the question is open.
 */
function verdictOf({ ours }: Line, question: TableQuestion, isFirst: boolean): Verdict | null {
  const isOpen = question.deciding === null && hasFigures(question) && !lacksDeciding(question);
  if (isOpen && isFirst && ours !== null) return question.verdict;
  if (isMetric(ours)) return ours.comparison.verdict;
  return ours?.decides && question.deciding === null ? question.verdict : null;
}

function hasFigures({ lines }: TableQuestion): boolean {
  return lines.some(({ ours }) => isMetric(ours));
}

/** Whether a figure that would decide is missing; its omission says why. */
function lacksDeciding({ omissions }: TableQuestion): boolean {
  return omissions.some(({ decides }) => decides);
}

function figureWords({ quantity, ours, qemu }: Line): string {
  const metric = [ours, qemu].find(isMetric);
  const name = quantity === "time" && ours !== null ? "time in V8" : QUANTITY_NAMES[quantity];
  // The name of reads already contains the unit.
  const said = metric === undefined || metric.unit === name || quantity === "reads";
  return said ? name : `${name}, ${metric.unit}`;
}

/** Both figures and their difference. */
function figureCells(figure: Metric | Omission | null): string[] {
  if (!isMetric(figure)) return figure === null ? [NONE, NONE, NONE] : ["missing", "missing", NONE];
  const { ab } = figure.comparison;
  // If a difference is not in percent, it has the unit shown with the figure's name.
  return [...formatFigures(ab.figures), formatEffect(ab, figure.scale === "percent" ? "%" : "")];
}

/** A figure in cells: its quantity, both arms, their difference, A against itself, and the verdict. */
export function metricFigures(metric: Metric): string[] {
  const { quantity, comparison } = metric;
  return [
    figureWords({ quantity, ours: null, qemu: metric }),
    ...figureCells(metric),
    controlCell(metric),
    verdictChip(comparison.verdict, metric),
  ];
}

function qemuVerdict(figure: Metric | Omission | null): string {
  return isMetric(figure) ? verdictChip(figure.comparison.verdict, figure) : NONE;
}

function controlCell(metric: Metric): string {
  return formatInterval(metric.comparison.aa);
}

function notesOf(question: TableQuestion, run: Run): string[] {
  const figures = question.lines.flatMap(({ ours, qemu }) => [ours, qemu]).filter((each) => each !== null);
  const metrics = figures.filter(isMetric);
  const omissions = figures.filter((figure): figure is Omission => !isMetric(figure));
  const { deciding } = question;
  const byConstruction = unique(metrics.flatMap((metric) => metric.byConstruction ?? []));
  return [
    ...byConstruction.map((why) => `Equal by construction: ${clause(why)}.`),
    ...(strayTime({ ...question, figures: metrics }) === null
      ? []
      : ["The time differs, for another reason."]),
    ...(!isDecided(question) && (deciding !== null || (hasFigures(question) && !lacksDeciding(question)))
      ? [reasonWords(question, sentence(reasonOf({ ...question, figures: metrics })))]
      : []),
    ...omissions.map((omission) => `${capitalName(omission)}: ${clause(omission.reason)}.`),
    ...metrics.flatMap((metric) =>
      metric.comparison.machines === null
        ? []
        : [`Machines disagree (${QUANTITY_NAMES[metric.quantity]}): ${sentence(metric.comparison.machines)}`],
    ),
    ...metrics.flatMap((metric) => {
      const sizes = tooFewToCompare(metric, run);
      if (sizes === null) return [];
      return [
        `Of ${sizes.length} machines (${QUANTITY_NAMES[metric.quantity]}), with ${listOf(sizes.map(String))} processes, nobody can tell whether they differ.`,
      ];
    }),
  ];
}

/** A question that no figure is meant to decide is not open. */
function reasonWords({ verdict }: TableQuestion, reason: string): string {
  return verdict === "not judged" ? reason : `Open: ${reason}`;
}

function capitalName({ quantity, source }: Omission): string {
  return capital(QUANTITY_NAMES[quantity]) + (source === "qemu" ? " of QEMU in C" : "");
}

function isMetric(figure: Metric | Omission | null | undefined): figure is Metric {
  return figure !== null && figure !== undefined && "comparison" in figure;
}

/** The confidence level if all intervals have the same, else “interval”. */
function levelWords(lines: readonly Line[]): string {
  const levels = new Set(
    lines.flatMap(({ ours, qemu }) =>
      [ours, qemu].filter(isMetric).map(({ comparison }) => comparison.ab.level),
    ),
  );
  const [level] = levels;
  return levels.size === 1 && level !== undefined ? formatLevel(level) : "interval";
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
