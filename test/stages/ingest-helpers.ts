import { createHash } from "node:crypto";
import { type ChatFacts, chatRow } from "../factories/logs.ts";
import { makePlan } from "../factories/plan.ts";
import type { Station } from "../factories/station.ts";

export function sha256(bytes: string | Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** A log of one session with so many calls; a longer one starts like a shorter one. */
export function sessionLog(calls: number, more: ChatFacts = {}): string {
  const list = Array.from({ length: calls }, (_, call) => [`run ${call}`, `output ${call}`] as const);
  return chatRow({ task: "t", session: "s", calls: list, answer: "", ...more });
}

/** Settings that make another revision of every document. */
export const OTHER = { redaction: { ...makePlan().redaction, disabled: ["email" as const] } };

/** How many trajectories there were of each kind. */
export async function outcomes(station: Station, ...args: Parameters<Station["run"]>): Promise<unknown> {
  const { summary } = await station.run(...args);
  return Object.fromEntries(Object.entries(summary.counts).filter(([, count]) => count > 0));
}
