import { appendFileSync, existsSync, readFileSync, truncateSync } from "node:fs";
import type { z } from "zod";
import { swapConsistency } from "../../shared/judge/reliability.ts";
import {
  type JudgedPair,
  judgePairs,
  type PairVerdictRow,
  pairKey,
  pairToJudgeSchema,
  pairVerdictSchema,
  swappedVerdicts,
} from "../../shared/stages/judge/pairs.ts";
import type { JudgePorts } from "../../shared/stages/judge/ports.ts";
import type { RepeatReport } from "../../shared/stages/judge/repeat.ts";
import type { JudgeReport } from "../../shared/stages/judge/tally.ts";
import { estimateText } from "./judge-report.ts";
import { many, table } from "./terminal.ts";
import { linesOf } from "./text-lines.ts";
import { UsageError } from "./usage-error.ts";

export interface PairsOutcome {
  readonly report: JudgeReport;
  /** All verdicts of the file, those of earlier runs among them. */
  readonly rows: readonly PairVerdictRow[];
  readonly before: number;
}

/**
 * Compares the pairs of a file and appends each verdict to another as soon as it is there; pairs that have one in it
 * already, by the same model, are not asked about again. @throws UsageError naming file and line
 */
export async function comparePairs(
  { pairs, out }: { readonly pairs: string; readonly out: string },
  ports: JudgePorts,
): Promise<PairsOutcome> {
  const asked = linesOf(pairs).map(({ text, line }) =>
    parsedLine(text, { path: pairs, n: line, schema: pairToJudgeSchema }),
  );
  const model = ports.settings.config.model;
  const kept = verdictsIn(out).filter(({ verdict }) => verdict !== "failed");
  const done = new Set(kept.filter((row) => row.model === model).map(pairKey));
  const open: JudgedPair[] = [];
  for (const pair of asked) {
    if (done.has(pairKey(pair))) continue;
    done.add(pairKey(pair));
    open.push(pair);
  }
  const wanted = new Set(asked.map(pairKey));
  const rows = kept.filter((row) => row.model === model && wanted.has(pairKey(row)));
  const before = rows.length;
  const report = await judgePairs(open, ports, async (row) => {
    appendFileSync(out, `${JSON.stringify(row)}\n`);
    rows.push(row);
  });
  return { report, rows, before };
}

/** A line that a stopped run left half-written goes. */
function verdictsIn(path: string): readonly PairVerdictRow[] {
  if (!existsSync(path)) return [];
  const bytes = readFileSync(path);
  const end = bytes.lastIndexOf(0x0a) + 1;
  const torn = bytes.subarray(end);
  if (torn.length > 0) {
    if (!torn.toString("utf8").startsWith('{"schema":"gymline.pair-verdict.v1"')) {
      throw new UsageError(`${path} is no file of verdicts: give another --out`);
    }
    truncateSync(path, end);
  }
  return linesOf(path).map(({ text, line }) =>
    parsedLine(text, { path, n: line, schema: pairVerdictSchema }),
  );
}

function parsedLine<T>(
  line: string,
  of: {
    readonly path: string;
    readonly n: number;
    readonly schema: z.ZodType<T>;
  },
): T {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new UsageError(`${of.path}, line ${of.n}: no JSON`, { cause });
  }
  const result = of.schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new UsageError(
    `${of.path}, line ${of.n}: ${issue?.path.map(String).join(".") ?? ""}: ${issue?.message ?? "wrong form"}`,
  );
}

/** How far verdicts survive a swap, for people. */
export function pairsReport({ rows, before }: PairsOutcome): string {
  const { n, consistent, ties, inconsistent } = swapConsistency(swappedVerdicts(rows));
  const failed = rows.filter(({ verdict }) => verdict === "failed").length;
  const chosen = rows.filter(({ chosen_id }) => chosen_id !== null);
  const left = chosen.filter(({ verdict }) => verdict === "left").length;
  return [
    `${many(rows.length, "pair")}, ${before} of them from an earlier run: ${chosen.length} with a preference (${left} left, ${chosen.length - left} right), ${ties} ties, ${failed} failed`,
    `the verdict survives a swap in ${estimateText(consistent)} of ${n}; the place decided in ${estimateText(inconsistent)}`,
  ].join("\n");
}

/** How far a judge agrees with itself, for people. */
export function repeatReport({ trajectories, times, seed, rubrics }: RepeatReport): string {
  const columns = [
    { title: "rubric" },
    { title: "steps", align: "right" },
    { title: "mean difference", align: "right" },
    { title: "within 0.25", align: "right" },
  ] as const;
  const rows = rubrics.map(({ rubric, meanDifference, close }) => [
    rubric,
    String(close.n),
    estimateText(meanDifference),
    estimateText(close),
  ]);
  return [
    `${many(trajectories, "trajectory", "trajectories")} judged ${times} times each (seed ${seed}); intervals at 95 %`,
    rows.length === 0 ? "no step was scored twice" : table(columns, rows),
  ].join("\n");
}
