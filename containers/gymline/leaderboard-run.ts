import { z } from "zod";
import { openForReading } from "../../shared/adapters/local/local-store.ts";
import {
  groupFieldSchema,
  type LeaderboardOptions,
  leaderboard,
  metricSchema,
} from "../../shared/leaderboard/leaderboard.ts";
import { numeric } from "./dataset-options.ts";
import { leaderboardDocument, leaderboardReport } from "./leaderboard-report.ts";
import { collectRuns } from "./runs.ts";
import { note, out } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

export interface LeaderboardCommandOptions {
  readonly store: string;
  readonly by: string;
  readonly metric?: string;
  readonly minN: string;
  readonly level?: string;
  readonly seed?: string;
  readonly evaluation?: readonly string[];
  readonly project?: string;
  readonly onlyDomain?: string;
  readonly agent?: string;
  readonly model?: string;
  readonly sourceFormat?: string;
  readonly task?: string;
  readonly json?: boolean;
}

const optionsSchema = z.strictObject({
  by: z.array(groupFieldSchema).min(1),
  metric: metricSchema,
  minRuns: z.int().positive(),
  level: z.number().gt(0.5).lt(1),
  seed: z.int(),
});

export async function rankGroups(options: LeaderboardCommandOptions): Promise<void> {
  if (options.evaluation !== undefined) {
    const { rankEvaluations } = await import("./evaluations-run.ts");
    return await rankEvaluations({ ...options, evaluation: options.evaluation });
  }
  const asked = parsed(options);
  const local = openForReading(options.store);
  try {
    const runs = await collectRuns(local.catalog, options);
    const board = leaderboard(runs, asked);
    if (options.json === true) out(JSON.stringify(leaderboardDocument(board, asked)));
    else if (runs.length === 0) note("no trajectory matches");
    else out(leaderboardReport(board, asked));
  } finally {
    await local.close();
  }
}

function parsed(options: LeaderboardCommandOptions): LeaderboardOptions {
  const result = optionsSchema.safeParse({
    by: [...new Set(options.by.split(",").map((field) => field.trim()))],
    metric: options.metric ?? "reward",
    minRuns: numeric("--min-n", options.minN),
    level: numeric("--level", options.level ?? "0.95"),
    seed: numeric("--seed", options.seed ?? "42"),
  });
  if (result.success) return result.data;
  const faults = result.error.issues.map(({ path, message }) => {
    const name = String(path[0]) === "minRuns" ? "min-n" : String(path[0]);
    return `--${name}: ${message}`;
  });
  throw new UsageError(`no leaderboard like this: ${faults.join("; ")}`);
}
