import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import type { DomainProfile } from "../domains/profile.ts";
import type { RewardConfig } from "./config.ts";
import type { RubricBook } from "./rubrics.ts";

/** Raised whenever a rule or the composition changes, so that scores of different rules never share an id. */
const algorithmVersion = "gymline.rules.2";

/** Everything that shapes a score beside the trajectory itself. */
export interface ScorerBasis {
  readonly config: RewardConfig;
  readonly profile: DomainProfile;
  readonly rubrics?: RubricBook | undefined;
  /** Versions of what else scoring rests on. */
  readonly references?: string | undefined;
  readonly critic?: string | undefined;
  readonly calibration?: string | undefined;
}

/** Names a way of scoring: the first 16 hex digits of SHA-256 over all of its basis and the rules' version. */
export function scorerId({ rubrics, ...basis }: ScorerBasis): string {
  const book =
    rubrics === undefined
      ? {}
      : {
          rubrics: [...rubrics.rubrics.values()],
          sets: [...rubrics.sets].map(([name, set]) => [name, ...set]),
        };
  return shortHash({ algorithm: algorithmVersion, ...basis, ...book });
}

/** The id of a score that also rests on judgements or labels of this one trajectory, which may change. */
export function scorerIdWith(scorer: string, evidence: unknown): string {
  return shortHash({ scorer, evidence });
}

function shortHash(value: unknown): string {
  const text = canonicalize(value) ?? "";
  return createHash("sha256").update(text, "utf8").digest("hex").slice(0, 16);
}
