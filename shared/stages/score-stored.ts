import type { DeployedDataset } from "../contracts/deployment-config.ts";
import { trajectoryKey } from "../contracts/keys.ts";
import type { ScoreQueueMessage } from "../contracts/messages.ts";
import type { ScoreSet } from "../ports/catalog.ts";
import type { Ledger } from "../ports/ledger.ts";
import { ObjectNotFoundError } from "../ports/object-store.ts";
import type { MessageQueue } from "../ports/queue.ts";
import { type AskJudge, askJudge } from "./ask-judge.ts";
import { askForDue } from "./export-run.ts";
import { type ScoreMessage, type ScorePorts, score } from "./score.ts";

export interface ScoreStoredPorts extends ScorePorts {
  readonly ledger: Ledger;
  readonly datasets: readonly DeployedDataset[];
  readonly exportQueue: MessageQueue;
  /** Absent where the settings have no judge. */
  readonly judge?: AskJudge;
}

/**
 * Scores a trajectory that a message names, and asks for the export of datasets whose threshold that reaches. One that
 * was forgotten meanwhile is `absent`, which is no fault.
 */
export async function scoreStored(message: ScoreQueueMessage, ports: ScoreStoredPorts): Promise<ScoreSet> {
  const { id } = message;
  try {
    return await scoreAndAsk({ id, key: trajectoryKey(id) }, ports);
  } catch (error) {
    if (error instanceof ObjectNotFoundError && (await ports.catalog.entry(id)) === undefined)
      return "absent";
    throw error;
  }
}

/** Scores a trajectory that is stored; that may make it worth judging, and a first score an export due. */
export async function scoreAndAsk(message: ScoreMessage, ports: ScoreStoredPorts): Promise<ScoreSet> {
  const scored = await score(message, ports);
  const { set } = scored;
  if (ports.judge !== undefined) await askJudge(message.id, scored, { ...ports, judge: ports.judge });
  if (set === "first") await askForExports(message.id, ports);
  return set;
}

/** A first score may make exports due. One that is missed is found by the next first score, or by the sweep. */
export async function askForExports(
  id: string,
  ports: Pick<ScoreStoredPorts, "catalog" | "ledger" | "datasets" | "exportQueue">,
): Promise<void> {
  for (const dataset of ports.datasets) {
    if (!isLookDue(id, dataset.threshold)) continue;
    await askForDue(dataset, { ...ports, queue: ports.exportQueue, cause: "threshold" });
  }
}

/** About twenty looks on the way to a threshold are enough, spread by the ids, which are hashes. */
function isLookDue(id: string, threshold: number | undefined): boolean {
  if (threshold === undefined) return false;
  return Number.parseInt(id.slice(-8), 16) % Math.max(1, Math.floor(threshold / 20)) === 0;
}
