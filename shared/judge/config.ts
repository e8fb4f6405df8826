import { z } from "zod";

const characters = z.int().positive();
const usd = z.number().nonnegative();

/** US dollars per million tokens. `cacheWrite`: of an entry that lives five minutes. */
export const priceSchema = z.strictObject({
  input: usd,
  cacheWrite: usd,
  cacheRead: usd,
  output: usd,
  /** What all tokens of a request cost whose prompt (cached parts included) has more than `above` tokens. */
  longPrompt: z
    .strictObject({
      above: z.int().positive(),
      input: usd,
      cacheWrite: usd,
      cacheRead: usd,
      output: usd,
    })
    .optional(),
});
export type ModelPrice = Readonly<z.infer<typeof priceSchema>>;

/**
 * Most characters shown of each part of a step; longer texts keep their head and their tail. The defaults are what a
 * fifteenth of the price of one call a step leaves room for (`npm run bench -- judge`); a judge that must see more of
 * each step is dearer in proportion.
 */
const fieldsSchema = z.strictObject({
  task: characters.default(800),
  /** What users said between two steps. */
  user: characters.default(500),
  thought: characters.default(160),
  /** The text of a step without calls, which is all there is to judge. */
  message: characters.default(600),
  /** Of all calls of a step together, as are results. */
  arguments: characters.default(160),
  result: characters.default(160),
});
export type FieldBudgets = Readonly<z.infer<typeof fieldsSchema>>;

const windowSchema = z.strictObject({
  maxSteps: z.int().positive().default(30),
  /** Of the steps to score. One step that is longer has a window to itself. */
  maxCharacters: characters.default(24_000),
  /** Of the lines that sum up the steps before them. */
  contextCharacters: z.int().nonnegative().default(1_500),
  fields: fieldsSchema.prefault({}),
});

const share = z.number().min(0).max(1);

/**
 * Which trajectories are worth a judge's price. `band`: those whose score lies from `low` to `high`, where cheaper
 * layers are least sure, and `share` of the others by chance, without which nobody could tell how far those layers
 * are right.
 */
const gateSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("all") }),
  z
    .strictObject({
      kind: z.literal("band"),
      low: share.default(0.3),
      high: share.default(0.7),
      share: share.default(0.05),
    })
    .refine(({ low, high }) => low <= high, { path: ["high"], message: "must not be below low" }),
]);
export type Gate = Readonly<z.infer<typeof gateSchema>>;

const CHEAP_CLAUDE = "claude-haiku-5-5";

/** How a model judges trajectories. */
export const judgeConfigSchema = z
  .strictObject({
    provider: z.enum(["anthropic", "openai-compatible"]).default("anthropic"),
    /** Must be named for other providers than Anthropic. */
    model: z.string().min(1).optional(),
    /** Left to the provider's own address where it is absent. */
    baseUrl: z.url().optional(),
    /** `windows`: many steps a call. `steps`: one step a call, at many times the price. */
    mode: z.enum(["windows", "steps"]).default("windows"),
    /** Answers asked for per window. Their mean counts, and their spread says how sure it is. */
    samples: z.int().min(1).max(15).default(1),
    window: windowSchema.prefault({}),
    /** Of longer trajectories, so many steps spread evenly are scored; null scores every step. */
    maxSteps: z.int().min(2).nullable().default(150),
    /** Current Claude models refuse one. */
    temperature: z.number().min(0).max(2).optional(),
    /** Room in the answer for a model's own thinking, which counts as output where the model does think. */
    thinkingTokens: z.int().nonnegative().default(8_192),
    gate: gateSchema.prefault({ kind: "all" }),
    /** Null: no limit. */
    budgets: z
      .strictObject({ usdPerRun: usd.nullable().default(5), usdPerDay: usd.nullable().default(20) })
      .prefault({}),
    /** Half the price, within a day, where the provider takes batches. */
    batch: z.boolean().default(true),
    /** By the start of a model's name; the longest that fits counts, and before the known prices. */
    prices: z.record(z.string().min(1), priceSchema).default({}),
  })
  .superRefine((config, context) => {
    if (config.provider !== "anthropic" && config.model === undefined) {
      context.addIssue({ code: "custom", path: ["model"], message: "must be given with this provider" });
    }
    if (config.samples > 1 && config.temperature === 0) {
      context.addIssue({
        code: "custom",
        path: ["samples"],
        message:
          "several samples at temperature 0 are one answer many times; raise the temperature or leave it out",
      });
    }
  })
  .transform(({ model, ...rest }) => ({ ...rest, model: model ?? CHEAP_CLAUDE }));

export type JudgeConfig = Readonly<z.infer<typeof judgeConfigSchema>>;
export type JudgeConfigInput = Readonly<z.input<typeof judgeConfigSchema>>;

/** The settings of the judge are wrong. `source` names the file or place they came from. */
export class JudgeConfigError extends Error {
  override readonly name = "JudgeConfigError";
  readonly source: string;
  constructor(source: string, reason: string, options?: ErrorOptions) {
    super(`Judge settings ${source}: ${reason}. Correct these fields.`, options);
    this.source = source;
  }
}

/**
 * Checks the settings of a judge and fills in the defaults.
 * @throws JudgeConfigError naming the source, the fields and what is expected of them
 */
export function parseJudgeConfig(value: unknown = {}, sourceName = "(given)"): JudgeConfig {
  const result = judgeConfigSchema.safeParse(value);
  if (result.success) return result.data;
  const reasons = result.error.issues.slice(0, 5).map((issue) => {
    const place = issue.path.map(String).join(".");
    return place === "" ? issue.message : `${place}: ${issue.message}`;
  });
  throw new JudgeConfigError(sourceName, reasons.join("; "), { cause: result.error });
}
