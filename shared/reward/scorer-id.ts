import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import type { DomainProfile } from "../domains/profile.ts";
import type { RewardConfig } from "./config.ts";

/** Raised whenever a rule or the composition changes, so that scores of different rules never share an id. */
const algorithmVersion = "gymline.rules.1";

/** Names a way of scoring: the first 16 hex digits of SHA-256 over configuration, profile and rules version. */
export function scorerId(config: RewardConfig, profile: DomainProfile): string {
  const text = canonicalize({ algorithm: algorithmVersion, config, profile }) ?? "";
  return createHash("sha256").update(text, "utf8").digest("hex").slice(0, 16);
}
