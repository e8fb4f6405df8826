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

/**
 * The id of a score that also rests on a judgement or labels of this one trajectory, which may change:
 * `<scorer>-<layers>-<hash of what was said>`.
 */
export function scorerIdWith(
  scorer: string,
  evidence: { readonly layers: readonly ("judge" | "people")[]; readonly said: unknown },
): string {
  return `${scorer}-${evidence.layers.join("+")}-${shortHash(evidence.said).slice(0, 8)}`;
}

/** What rewards must have in common to be compared: the scorer, and whether a judge or people had their say. */
export function scorerScale(scorer: string): string {
  const [basis = "", layers] = scorer.split("-");
  return layers === undefined ? basis : `${basis}-${layers}`;
}

function shortHash(value: unknown): string {
  const text = canonicalize(value) ?? "";
  return createHash("sha256").update(text, "utf8").digest("hex").slice(0, 16);
}
