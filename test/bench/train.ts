import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { z } from "zod";
import { trainerEnvironment } from "../trainer/venv.ts";
import type { Figure } from "./figure.ts";
import { lastLine } from "./last-line.ts";
import { median } from "./median.ts";

const program = resolve(import.meta.dirname, "train_run.py");
const ROUNDS = 3;
const SIZES = ["tiny", "100m"] as const;
const measuredSchema = z.object({ tokens: z.number(), seconds: z.number().positive(), resident: z.number() });
type Measured = z.infer<typeof measuredSchema>;

/**
 * Supervised fine-tuning by this project's loop beside TRL's SFTTrainer: the same random models, sequences and options on
 * this machine's processor, in turns, each run in a process of its own.
 */
export async function benchTrain(): Promise<readonly Figure[]> {
  const environment = await trainerEnvironment();
  if (environment.kind === "absent") {
    console.log(`train: not measured: ${environment.reason}`);
    return [];
  }
  const figures: Figure[] = [];
  for (const size of SIZES) {
    const folder = await mkdtemp(join(tmpdir(), `gymline-train-${size}-`));
    try {
      await lastLine(environment.python, [program, "prepare", folder, size]);
      for (const packing of [false, true]) {
        figures.push(...(await compared({ python: environment.python, folder, size, packing })));
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  return figures;
}

interface Asked {
  readonly python: string;
  readonly folder: string;
  readonly size: string;
  readonly packing: boolean;
}

async function compared({ python, folder, size, packing }: Asked): Promise<readonly Figure[]> {
  const rounds: { readonly ours: Measured; readonly theirs: Measured }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const one = async (who: string): Promise<Measured> =>
      measuredSchema.parse(
        JSON.parse(await lastLine(python, [program, who, folder, ...(packing ? ["packing"] : [])])),
      );
    // Who is first changes: a machine that slows down must not favour one.
    const first = round % 2 === 0 ? await one("ours") : undefined;
    const theirs = await one("trl");
    rounds.push({ ours: first ?? (await one("ours")), theirs });
  }
  const speed = ({ tokens, seconds }: Measured): number => tokens / seconds;
  const ratios = rounds.map(({ ours, theirs }) => speed(ours) / speed(theirs));
  const name = `train ${size}${packing ? ", packed" : ""}`;
  const ratio = median(ratios);
  const memory = median(rounds.map(({ ours, theirs }) => ours.resident / theirs.resident));
  return [
    { name: `${name}: ours`, value: median(rounds.map(({ ours }) => speed(ours))), unit: "tokens/s" },
    { name: `${name}: TRL`, value: median(rounds.map(({ theirs }) => speed(theirs))), unit: "tokens/s" },
    { name: `${name}: times as fast as TRL`, value: ratio, unit: "×", goal: "≥ 1.0 ×", ok: ratio >= 1 },
    { name: `${name}: least of ${ROUNDS} rounds`, value: Math.min(...ratios), unit: "×" },
    { name: `${name}: most of ${ROUNDS} rounds`, value: Math.max(...ratios), unit: "×" },
    { name: `${name}: peak memory, of TRL's`, value: memory, unit: "×" },
  ];
}
