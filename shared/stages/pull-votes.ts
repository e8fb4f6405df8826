import { createHash } from "node:crypto";
import { z } from "zod";
import type { Catalog } from "../ports/catalog.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { VotingService } from "../ports/voting-service.ts";
import { type RefusedVote, readVotes } from "../votes/read-votes.ts";
import type { Vote } from "../votes/vote.ts";
import { changeRecord, readRecord } from "./ledger-record.ts";
import { storeVote, type VoteOutcome } from "./store-votes.ts";
import { feedbackFromVotes } from "./votes-feedback.ts";

/** How far the votes of a service have been read. */
const cursorSchema = z.strictObject({ schema: z.literal("gymline.votes-cursor.v1"), cursor: z.string() });

interface VotePorts {
  readonly store: ObjectStore;
  readonly catalog: Catalog;
}

export interface VotesTaken {
  readonly counts: Readonly<Record<VoteOutcome, number>>;
  readonly refused: readonly RefusedVote[];
}

/**
 * Takes in what a service has of new votes and notes after each page how far it came, so that a pull that was stopped
 * goes on there; a page that comes twice changes nothing.
 * @throws LedgerBusyError and what the service throws
 */
export async function pullVotes(
  source: { readonly service: VotingService; readonly url: string; readonly fromStart: boolean },
  ports: VotePorts & { readonly ledger: Ledger },
): Promise<VotesTaken> {
  const key = `votes-cursor/${createHash("sha256").update(source.url).digest("hex").slice(0, 32)}`;
  const record = { ledger: ports.ledger, key, schema: cursorSchema };
  const found = source.fromStart ? undefined : await readRecord(ports.ledger, key, cursorSchema);
  const taken = new Taken();
  let page = 0;
  for await (const { votes, next } of source.service.votes(found?.value.cursor)) {
    page += 1;
    const read = readVotes(votes, (index) => `page ${page}, votes[${index}]`);
    taken.refused.push(...read.refused);
    await takeAll(read.votes, { taken, ports });
    if (next !== null) {
      await changeRecord(record, () => ({ schema: "gymline.votes-cursor.v1", cursor: next }));
    }
  }
  return taken;
}

/** Takes in votes that were read from a file. */
export async function takeVotes(votes: readonly Vote[], ports: VotePorts): Promise<VotesTaken> {
  const taken = new Taken();
  await takeAll(votes, { taken, ports });
  return taken;
}

/** Votes come first and the feedback that follows from them after, for all that are as told: a repeat mends the rest. */
async function takeAll(
  votes: readonly Vote[],
  { taken, ports }: { readonly taken: Taken; readonly ports: VotePorts },
): Promise<void> {
  const pairs = new Set<string>();
  for (const vote of votes) {
    const outcome = await storeVote(vote, ports.store);
    taken.add(outcome);
    if (outcome !== "unknown-pair" && outcome !== "other-pair") pairs.add(vote.pair_id);
  }
  await feedbackFromVotes(pairs, ports);
}

class Taken implements VotesTaken {
  readonly counts: Record<VoteOutcome, number> = {
    added: 0,
    replaced: 0,
    unchanged: 0,
    outdated: 0,
    "unknown-pair": 0,
    "other-pair": 0,
  };
  readonly refused: RefusedVote[] = [];

  add(outcome: VoteOutcome): void {
    this.counts[outcome] += 1;
  }
}
