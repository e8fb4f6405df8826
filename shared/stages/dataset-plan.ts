import { createHash, type Hash } from "node:crypto";
import canonicalize from "canonicalize";
import type { Manifest } from "../dataset/manifest.ts";
import { type TargetId, targetOf } from "../dataset/targets/targets.ts";
import type { Counts } from "../preferences/counts.ts";
import type { MadeRow } from "./dataset-rows.ts";

/** What a dataset will be made of, before anything of it is read. */
export interface DatasetPlan {
  readonly version: string;
  /** What the version was made by, as the manifest keeps it. */
  readonly settings: DatasetSettings;
  /** How many trajectories there were to choose from, and how many may get in. */
  readonly considered: number;
  readonly trajectories: number;
  /** Trajectories left out, by reason; grows while rows are made. */
  readonly excluded: Counts;
  /** The rows, those of one task after another. */
  rows(): AsyncIterable<MadeRow>;
  /** What else the manifest says of the selection, once the rows are made. */
  facts(): Partial<Manifest["selection"]>;
}

export type DatasetSettings = Readonly<Record<string, unknown>>;

/** The identity of a version: all that shapes it, to which the selected trajectories are added. Ends as 12 hex digits. */
export function versionHash(target: TargetId, settings: DatasetSettings): Hash {
  const layout = `gymline.${targetOf(target).format}.v1`;
  return createHash("sha256").update(canonicalize({ layout, request: settings }) ?? "");
}

export function versionText(hash: Hash): string {
  return hash.digest("hex").slice(0, 12);
}
