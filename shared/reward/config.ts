import { z } from "zod";
import { signalsConfigSchema } from "./signals/trajectory-signals.ts";

const tolerance = 1e-6;

/**
 * How trajectories are scored.
 *
 * `composition`: "mended" uses the rules of this project and blends the rule and the model layer of a step
 * by `ruleWeight` and `modelWeight`; "compatible" uses the rules of knowlyr-gym and one flat mean over all
 * rubrics. `unscored`: "renormalise" leaves out what nobody scored; "neutral" counts an unscored model
 * rubric 0.5, an unknown outcome 0 and a missing reference 1. Where only one of the two is given, the other
 * follows it (compatible with neutral), so either one alone reproduces knowlyr-gym's numbers.
 *
 * The weights of critic and people stand beside those that add up to 1: each counts only where its layer
 * scored, and every mean is over what is there. "compatible" knows neither these layers nor signals.
 */
export const rewardConfigSchema = z
  .strictObject({
    ruleWeight: z.number().default(0.6),
    modelWeight: z.number().default(0.4),
    outcomeWeight: z.number().default(0.4),
    processWeight: z.number().default(0.5),
    efficiencyWeight: z.number().default(0.1),
    /**
     * What of `processWeight` goes to the signals of the whole run; the steps' mean has the rest. On public runs the
     * signals foresee the outcome far better than the steps do (docs/SIGNALS.md).
     */
    signalShare: z.number().min(0).max(1).default(0.8),
    signals: signalsConfigSchema.prefault({}),
    /** Of the critic's value of the whole run in the total. */
    criticWeight: z.number().default(0.5),
    /** Of the critic's credit in a step. */
    criticStepWeight: z.number().default(0.2),
    /** Of people's labels in the total. */
    humanWeight: z.number().default(2),
    /** Of people's labels in a step. */
    humanStepWeight: z.number().default(2),
    composition: z.enum(["mended", "compatible"]).optional(),
    unscored: z.enum(["renormalise", "neutral"]).optional(),
    referenceSteps: z.number().optional(),
  })
  .transform(({ composition, unscored, ...rest }) => ({
    ...rest,
    composition: composition ?? (unscored === "neutral" ? "compatible" : "mended"),
    unscored: unscored ?? (composition === "compatible" ? "neutral" : "renormalise"),
  }))
  .superRefine((config, context) => {
    const sums = [
      ["ruleWeight + modelWeight", config.ruleWeight + config.modelWeight],
      [
        "outcomeWeight + processWeight + efficiencyWeight",
        config.outcomeWeight + config.processWeight + config.efficiencyWeight,
      ],
    ] as const;
    for (const [names, sum] of sums) {
      if (!(Math.abs(sum - 1) <= tolerance)) {
        context.addIssue({ code: "custom", message: `${names} must be 1 (within 1e-6) but is ${sum}` });
      }
    }
    // knowlyr-gym takes negative weights; they would put a score outside [0, 1].
    if (config.composition === "compatible") return;
    for (const [name, value] of Object.entries(config)) {
      if (name.endsWith("Weight") && typeof value === "number" && value < 0) {
        context.addIssue({ code: "custom", path: [name], message: "must not be negative" });
      }
    }
  });

export type RewardConfig = Readonly<z.infer<typeof rewardConfigSchema>>;
export type RewardConfigInput = Readonly<z.input<typeof rewardConfigSchema>>;

/** A scoring configuration is wrong. `source` names the file or place it came from. */
export class RewardConfigError extends Error {
  readonly source: string;
  constructor(source: string, reason: string, cause?: unknown) {
    super(`Scoring configuration ${source}: ${reason}. Correct these fields.`, { cause });
    this.name = "RewardConfigError";
    this.source = source;
  }
}

/**
 * Checks a scoring configuration and fills in the defaults.
 * @throws RewardConfigError naming the source, the fields and what is expected of them
 */
export function parseRewardConfig(value: unknown = {}, sourceName = "(given)"): RewardConfig {
  const result = rewardConfigSchema.safeParse(value);
  if (result.success) return result.data;
  const reasons = result.error.issues.slice(0, 5).map((issue) => {
    const place = issue.path.map(String).join(".");
    return place === "" ? issue.message : `${place}: ${issue.message}`;
  });
  throw new RewardConfigError(sourceName, reasons.join("; "), result.error);
}
