import { z } from "zod";

const share = z.number().min(0).max(1);
/** Levels of a one-sided test: from one half on it would say nothing. */
const level = z.number().gt(0).lt(0.5);

/** Of a range [low, high] that holds every value of a metric. */
const rangeSchema = z
  .tuple([z.number(), z.number()])
  .refine(([low, high]) => low < high, { message: "the first number must be below the second" });

/** What must not get worse by more than `margin`, tested like the metric: more of it is worse. */
const guardSchema = z.discriminatedUnion("metric", [
  z.strictObject({
    metric: z.enum(["cost", "steps", "seconds"]),
    /** Relative: 0.1 lets the candidate's mean be up to 10 % above the champion's. */
    margin: z.number().nonnegative(),
    alpha: level.default(0.05),
  }),
  z.strictObject({
    metric: z.literal("violations"),
    /** Of the share of episodes with a refused action: 0.05 lets it be up to 5 points higher. */
    margin: z.number().gt(0).lt(1),
    alpha: level.default(0.05),
  }),
]);
export type Guard = Readonly<z.infer<typeof guardSchema>>;

/** Whether a candidate takes the champion's place (docs/LOOP.md). */
export const promotionPolicySchema = z
  .strictObject({
    /** What is compared: the share of solved tasks, or the mean undiscounted return. */
    metric: z.enum(["success", "return"]).default("success"),
    /** Of all returns; the tests with a margin need it. */
    range: rangeSchema.optional(),
    /** Chance that a candidate which is no better is promoted. */
    alpha: level.default(0.05),
    /**
     * Several candidates against one champion. `none`: each has α. `bonferroni`: each has α / `comparisons`. `spending`:
     * the k-th candidate that meets the same champion has α · 6 / (π² k²), which adds up to α, however many there are.
     */
    correction: z
      .discriminatedUnion("kind", [
        z.strictObject({ kind: z.literal("none") }),
        z.strictObject({ kind: z.literal("bonferroni"), comparisons: z.int().min(1) }),
        z.strictObject({ kind: z.literal("spending") }),
      ])
      .prefault({ kind: "none" }),
    /** `superiority`: better by more than `margin`. `non-inferiority`: worse by less than `margin`. */
    goal: z
      .discriminatedUnion("kind", [
        z.strictObject({ kind: z.literal("superiority"), margin: z.number().nonnegative().default(0) }),
        z.strictObject({ kind: z.literal("non-inferiority"), margin: z.number().positive() }),
      ])
      .prefault({ kind: "superiority" }),
    /** Fewer tasks, or pairs of episodes, say too little. */
    minimumTasks: z.int().min(1).default(20),
    minimumEpisodes: z.int().min(1).default(40),
    guards: z
      .array(guardSchema)
      .refine((guards) => new Set(guards.map(({ metric }) => metric)).size === guards.length, {
        message: "two guards have the same metric",
      })
      .default([]),
    /** More failed episodes of either model make the evaluation invalid. */
    maxFailed: share.default(0.05),
    /** Without a champion: the lower bound (1 - α) of the candidate's mean that makes it the first one. */
    first: z.strictObject({ least: z.number() }).optional(),
    /** Of random sign patterns. */
    seed: z.int().nonnegative().default(0),
  })
  .superRefine((policy, context) => {
    const { metric, range, goal, first } = policy;
    if (metric === "success" && range !== undefined) {
      context.addIssue({
        code: "custom",
        path: ["range"],
        message: "success has the range [0, 1]: leave it out",
      });
    }
    if (metric === "return" && range === undefined && (goal.margin > 0 || first !== undefined)) {
      const message =
        "give the range of the return, such as [0, 1]: a margin and `first` are tested within it";
      context.addIssue({ code: "custom", path: ["range"], message });
    }
    const [low, high] = range ?? [0, 1];
    if (goal.margin >= high - low) {
      context.addIssue({
        code: "custom",
        path: ["goal", "margin"],
        message: "must be below the metric's range",
      });
    }
    if (first !== undefined && !(first.least > low && first.least < high)) {
      context.addIssue({
        code: "custom",
        path: ["first", "least"],
        message: "must lie inside the metric's range",
      });
    }
  });
export type PromotionPolicy = Readonly<z.infer<typeof promotionPolicySchema>>;
