import { createHash } from "node:crypto";
import type { Gate } from "./config.ts";

/** Whether to judge, and why. */
export interface GateDecision {
  readonly judge: boolean;
  /**
   * `uncertain`: a score lies in the band. `disagreement`: reward and critic lie on two sides of it. `unscored`: there is
   * no score to go by. `calibration`: picked by chance among the certain ones.
   */
  readonly reason: "all" | "uncertain" | "disagreement" | "unscored" | "calibration" | "certain";
}

/**
 * Whether a trajectory is worth a judge's price. Who is picked for calibration depends on the id alone, so a repeat picks
 * the same.
 * @param trajectory.reward score of the cheaper layers, 0 to 1; null where there is none
 * @param trajectory.critic what a critic expects, 0 to 1
 */
export function worthJudging(
  trajectory: { readonly id: string; readonly reward: number | null; readonly critic?: number | null },
  gate: Gate,
): GateDecision {
  if (gate.kind === "all") return { judge: true, reason: "all" };
  const { low, high } = gate;
  const scores = [trajectory.reward, trajectory.critic].filter(
    (score): score is number => typeof score === "number" && Number.isFinite(score),
  );
  if (scores.length === 0) return { judge: true, reason: "unscored" };
  if (scores.some((score) => score >= low && score <= high)) return { judge: true, reason: "uncertain" };
  if (scores.some((score) => score < low) && scores.some((score) => score > high)) {
    return { judge: true, reason: "disagreement" };
  }
  return chanceOf(trajectory.id) < gate.share
    ? { judge: true, reason: "calibration" }
    : { judge: false, reason: "certain" };
}

/** A number from 0 up to 1 that an id always has, spread evenly over ids. */
function chanceOf(id: string): number {
  const digest = createHash("sha256").update(`gymline.gate\n${id}`, "utf8").digest();
  return digest.readUIntBE(0, 6) / 2 ** 48;
}
