import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { z } from "zod";
import type { Comparison } from "../../shared/statistics/comparison.ts";
import { meanOf } from "../../shared/statistics/mean.ts";
import { pairedT } from "../../shared/statistics/paired-t.ts";
import { trainerEnvironment } from "../trainer/venv.ts";
import type { Figure } from "./figure.ts";
import { lastLine } from "./last-line.ts";
import { median } from "./median.ts";

const program = resolve(import.meta.dirname, "train_options_run.py");
const SEEDS = [0, 1, 2, 3, 4];
const armsSchema = z.record(
  z.string(),
  z.object({
    right: z.number(),
    late: z.number().nullable(),
    probability: z.number(),
    speed: z.number().nullable(),
  }),
);
/** What one seed gave, by arm. */
type Arms = z.infer<typeof armsSchema>;
type Measure = "right" | "late" | "probability";

const SAID = { right: "right", late: "right, late", probability: "probability" } as const;

interface Compared {
  readonly name: string;
  /** The arms of train_options_run.py: what the figure is positive for, and what it is compared with. */
  readonly arm: string;
  readonly against: string;
  readonly measures: readonly Measure[];
}

const ACTS = ["right", "probability"] as const;
const LONG = ["right", "late", "probability"] as const;
const COMPARED: readonly Compared[] = [
  { name: "mask_observations", arm: "default", against: "observations", measures: ACTS },
  { name: "step_weighted_loss", arm: "weighted", against: "default", measures: ACTS },
  { name: "chunk, against cut", arm: "default", against: "cut", measures: LONG },
  { name: "chunk, against no limit", arm: "default", against: "whole", measures: LONG },
  { name: "chunk_overlap 1, against 0", arm: "default", against: "apart", measures: LONG },
  { name: "curriculum", arm: "curriculum", against: "default", measures: ACTS },
  { name: "packing", arm: "packed", against: "whole", measures: ACTS },
  { name: "grpo, against its start", arm: "trajectory", against: "start", measures: ACTS },
  { name: "advantage: credit", arm: "credit", against: "trajectory", measures: ACTS },
  { name: "advantage: process", arm: "process", against: "trajectory", measures: ACTS },
  { name: "advantage: proportional", arm: "proportional", against: "trajectory", measures: ACTS },
  { name: "scale_rewards", arm: "trajectory", against: "unscaled", measures: ACTS },
  { name: "loss: dapo, clip 0.28, no KL", arm: "dapo", against: "trajectory", measures: ACTS },
  { name: "loss: dr_grpo, unscaled", arm: "dr_grpo", against: "trajectory", measures: ACTS },
];

/**
 * What each of the trainer's options for agents does on a toy task: models with and without it, on the same rows and from
 * the same weights, for five seeds. Mean paired differences with 95 % intervals; there is no goal to be met.
 */
export async function benchTrainOptions(): Promise<readonly Figure[]> {
  const environment = await trainerEnvironment();
  if (environment.kind === "absent") {
    console.log(`train-options: not measured: ${environment.reason}`);
    return [];
  }
  const { python } = environment;
  const seeds: Arms[] = [];
  const left = SEEDS.values();
  const work = async (): Promise<void> => {
    for (const seed of left) seeds.push(await armsOf(python, seed));
  };
  // One thread each: such small matrices gain nothing by more.
  await Promise.all(Array.from({ length: Math.min(SEEDS.length, availableParallelism()) }, work));
  return [
    ...levels(seeds, "default", LONG),
    ...levels(seeds, "start", ACTS),
    ...COMPARED.flatMap((compared) => differences(seeds, compared)),
    {
      name: "packing: tokens a second, times as many",
      value: median(
        seeds.map((arms) => (arms["packed"]?.speed ?? Number.NaN) / (arms["whole"]?.speed ?? Number.NaN)),
      ),
      unit: "×",
    },
  ];
}

async function armsOf(python: string, seed: number): Promise<Arms> {
  const folder = await mkdtemp(join(tmpdir(), "gymline-train-options-"));
  try {
    const printed = await lastLine(python, [program, folder, String(seed)], { OMP_NUM_THREADS: "1" });
    return armsSchema.parse(JSON.parse(printed));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function levels(seeds: readonly Arms[], arm: string, measures: readonly Measure[]): readonly Figure[] {
  return measures.map((measure) => {
    const name = `${arm === "default" ? "sft by default" : "grpo's start"}: ${SAID[measure]}`;
    return { name, value: meanOf(percentages(seeds, arm, measure)), unit: "%" };
  });
}

function differences(seeds: readonly Arms[], { name, arm, against, measures }: Compared): readonly Figure[] {
  return measures.map((measure) => {
    const found = pairedT(percentages(seeds, arm, measure), percentages(seeds, against, measure));
    return { name: `${name}: ${SAID[measure]}`, value: found.value ?? 0, unit: `points${surely(found)}` };
  });
}

function percentages(seeds: readonly Arms[], arm: string, measure: Measure): readonly number[] {
  return seeds.map((arms) => 100 * (arms[arm]?.[measure] ?? Number.NaN));
}

/** The interval, and whether it leaves room for nothing at all. */
function surely(found: Comparison): string {
  if (found.value === null || found.interval.low === null) return ", the same in all seeds";
  const { low, high } = found.interval;
  const verdict = low <= 0 && high >= 0 ? ": contains 0" : "";
  return `, 95 % ${low.toFixed(1)} to ${high.toFixed(1)}${verdict}`;
}
