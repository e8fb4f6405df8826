import { createHash, type Hash } from "node:crypto";
import canonicalize from "canonicalize";
import type { DatasetRequest } from "../contracts/dataset-request.ts";
import type { Manifest } from "../dataset/manifest.ts";
import { targetOf } from "../dataset/targets/targets.ts";
import type { Counts } from "../preferences/counts.ts";
import type { MadeRow } from "./dataset-rows.ts";

/** What a dataset will be made of, before anything of it is read. */
export interface DatasetPlan {
  readonly version: string;
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

/** The identity of a version: everything that shapes it. Ends as 12 hex digits. */
export function versionHash(request: DatasetRequest): Hash {
  const layout = `gymline.${targetOf(request.target).format}.v1`;
  return createHash("sha256").update(canonicalize({ layout, request }) ?? "");
}

export function versionText(hash: Hash): string {
  return hash.digest("hex").slice(0, 12);
}
