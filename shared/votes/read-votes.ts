import type { z } from "zod";
import { type Vote, voteSchema } from "./vote.ts";

/** Why a vote was not taken, and where it stood. */
export interface RefusedVote {
  readonly place: string;
  readonly reason: string;
}

export interface ReadVotes {
  readonly votes: readonly Vote[];
  readonly refused: readonly RefusedVote[];
}

/** Checks votes one by one, so that a bad one does not hold up the others. `place` names each by its position. */
export function readVotes(values: readonly unknown[], place: (index: number) => string): ReadVotes {
  const votes: Vote[] = [];
  const refused: RefusedVote[] = [];
  for (const [index, value] of values.entries()) {
    const result = voteSchema.safeParse(value);
    if (result.success) votes.push(result.data);
    else refused.push({ place: place(index), reason: reasonOf(result.error) });
  }
  return { votes, refused };
}

/** Votes as lines of JSON; empty lines are no votes. */
export function readVoteLines(text: string, file: string): ReadVotes {
  const votes: Vote[] = [];
  const refused: RefusedVote[] = [];
  for (const [index, line] of text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .entries()) {
    if (line.trim() === "") continue;
    const place = `${file}:${index + 1}`;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      refused.push({ place, reason: "the line is no valid JSON" });
      continue;
    }
    const read = readVotes([value], () => place);
    votes.push(...read.votes);
    refused.push(...read.refused);
  }
  return { votes, refused };
}

function reasonOf(error: z.ZodError): string {
  const [issue] = error.issues;
  const path = issue?.path.map(String).join(".") ?? "";
  return `${path === "" ? "it" : path}: ${issue?.message ?? "invalid"}`;
}
