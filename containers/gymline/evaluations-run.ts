import { combineEvaluations } from "../../shared/evaluation/combine.ts";
import type { EvaluationParts } from "../../shared/evaluation/evaluation-of.ts";
import { leaderboardReport } from "../../shared/evaluation/report-blocks.ts";
import { comparisonSettings } from "./evaluate-settings.ts";
import { blocksText, checkReports, showEvaluation, writeReports } from "./evaluation-output.ts";
import { evaluationsOf } from "./evaluation-store.ts";
import { EXIT } from "./exit-code.ts";
import { seedOf } from "./numbers.ts";
import { out } from "./terminal.ts";

interface EvaluationsOptions {
  readonly evaluation: readonly string[];
  readonly store: string;
  readonly metric?: string;
  readonly level?: string;
  readonly seed?: string;
  readonly correction?: string;
  readonly test?: string;
  readonly json?: boolean;
}

/** Compares the agents of one or more evaluations. @throws UsageError, EvaluationError */
export async function compareEvaluations(
  options: EvaluationsOptions & {
    readonly markdown?: boolean;
    readonly report?: readonly string[];
  },
): Promise<void> {
  checkReports(options.report ?? []);
  const parts = await combined(options);
  showEvaluation(parts, options);
  await writeReports(parts.document, options.report ?? []);
  if (!parts.document.valid) process.exitCode = EXIT.rejected;
}

/** Ranks the agents of one or more evaluations. @throws UsageError, EvaluationError */
export async function rankEvaluations(options: EvaluationsOptions): Promise<void> {
  const { document } = await combined(options);
  const { env, tasks, attempts, seed, agents, settings, valid, problems, leaderboard } = document;
  const ranking = { env, tasks, attempts, seed, agents, settings, valid, problems, leaderboard };
  if (options.json === true) out(JSON.stringify({ schema: "gymline.evaluation-leaderboard.v1", ...ranking }));
  else out(blocksText(leaderboardReport(document)));
  if (!valid) process.exitCode = EXIT.rejected;
}

async function combined(options: EvaluationsOptions): Promise<EvaluationParts> {
  const settings = comparisonSettings(options);
  const seed = options.seed === undefined ? {} : { seed: seedOf(options.seed) };
  const evaluations = await evaluationsOf(options.evaluation, options.store);
  return combineEvaluations(evaluations, { ...settings, ...seed });
}
