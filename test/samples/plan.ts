import type { Skill } from "./coding/agents.ts";
import type { JobName } from "./crew/workers.ts";
import type { Manner } from "./support/agents.ts";
import type { MiniVariant } from "./writers/mini-swe-agent.ts";

export type CodingRun = readonly [task: string, skill: Skill];
export type SupportRun = readonly [problem: string, manner: Manner];

/** How the bytes of a file are packed. */
export type Packing = "plain" | "gzip" | "zstd";

/** One file of the drop folder and the runs that stand in it. */
export type PlannedFile =
  | { readonly kind: "openhands-events"; readonly path: string; readonly run: CodingRun }
  | {
      readonly kind: "openhands-rows";
      readonly path: string;
      readonly packing: Packing;
      readonly runs: readonly CodingRun[];
    }
  | { readonly kind: "swe-agent-traj"; readonly path: string; readonly run: CodingRun }
  | { readonly kind: "swe-agent-zip"; readonly path: string; readonly runs: readonly CodingRun[] }
  | {
      readonly kind: "swe-agent-rows";
      readonly path: string;
      readonly packing: Packing;
      readonly runs: readonly CodingRun[];
    }
  | { readonly kind: "mini"; readonly path: string; readonly variant: MiniVariant; readonly run: CodingRun }
  | { readonly kind: "atif-coding"; readonly path: string; readonly run: CodingRun }
  | { readonly kind: "atif-support"; readonly path: string; readonly run: SupportRun }
  | {
      readonly kind: "chat";
      readonly path: string;
      readonly runs: readonly SupportRun[];
      readonly breakAfter?: number;
    }
  | { readonly kind: "help-desk"; readonly path: string; readonly runs: readonly SupportRun[] }
  | { readonly kind: "crew"; readonly folder: string; readonly job: JobName; readonly cut?: true };

/** The drop folder: one folder for each team, which is the project label. The order fixes the times. */
export const plan: readonly PlannedFile[] = [
  {
    kind: "openhands-rows",
    path: "coding-team/openhands/output.jsonl",
    packing: "plain",
    runs: [
      ["csv-quoted-commas", "careful"],
      ["csv-quoted-commas", "sloppy"],
      ["slugify-runs-of-blanks", "careful"],
      ["slugify-runs-of-blanks", "hasty"],
      ["cart-total-cents", "persistent"],
    ],
  },
  {
    kind: "openhands-rows",
    path: "coding-team/openhands/nightly.jsonl.zst",
    packing: "zstd",
    runs: [
      ["lru-cache-recency", "persistent"],
      ["lru-cache-recency", "hasty"],
      ["config-port-from-env", "careful"],
      ["config-port-from-env", "lost"],
    ],
  },
  {
    kind: "openhands-events",
    path: "coding-team/openhands/sessions/leap-year.json",
    run: ["leap-year-centuries", "careful"],
  },
  {
    kind: "openhands-events",
    path: "coding-team/openhands/sessions/config-port.json",
    run: ["config-port-from-env", "hasty"],
  },
  {
    kind: "swe-agent-traj",
    path: "coding-team/swe-agent/duration-with-parts.traj",
    run: ["duration-with-parts", "careful"],
  },
  {
    kind: "swe-agent-traj",
    path: "coding-team/swe-agent/lru-cache-recency.traj",
    run: ["lru-cache-recency", "sloppy"],
  },
  {
    kind: "swe-agent-zip",
    path: "coding-team/swe-agent/week-03.zip",
    runs: [
      ["duration-with-parts", "sloppy"],
      ["cart-total-cents", "careful"],
      ["backoff-upper-bound", "lost"],
    ],
  },
  {
    kind: "swe-agent-rows",
    path: "coding-team/swe-agent/labelled.jsonl.gz",
    packing: "gzip",
    runs: [
      ["backoff-upper-bound", "careful"],
      ["backoff-upper-bound", "hasty"],
      ["duration-with-parts", "persistent"],
      ["duration-with-parts", "hasty"],
    ],
  },
  {
    kind: "mini",
    path: "coding-team/mini/leap-year-a.traj.json",
    variant: "text",
    run: ["leap-year-centuries", "hasty"],
  },
  {
    kind: "mini",
    path: "coding-team/mini/leap-year-b.traj.json",
    variant: "text",
    run: ["leap-year-centuries", "persistent"],
  },
  {
    kind: "mini",
    path: "coding-team/mini/cart-total.traj.json",
    variant: "tool-calls",
    run: ["cart-total-cents", "hasty"],
  },
  {
    kind: "mini",
    path: "ops-team/mini/server-errors.traj.json",
    variant: "tool-calls",
    run: ["count-server-errors", "careful"],
  },
  {
    kind: "atif-coding",
    path: "ops-team/atif/server-errors-1.json",
    run: ["count-server-errors", "persistent"],
  },
  { kind: "atif-coding", path: "ops-team/atif/server-errors-2.json", run: ["count-server-errors", "hasty"] },
  { kind: "atif-coding", path: "ops-team/atif/find-flag-1.json", run: ["find-flag-owner", "careful"] },
  { kind: "atif-coding", path: "ops-team/atif/find-flag-2.json", run: ["find-flag-owner", "hasty"] },
  { kind: "crew", folder: "ops-team/crew", job: "log, by maximum" },
  { kind: "crew", folder: "ops-team/crew", job: "log, by first line" },
  { kind: "crew", folder: "ops-team/crew", job: "review, line by line" },
  { kind: "crew", folder: "ops-team/crew", job: "review, at a glance", cut: true },
  { kind: "crew", folder: "ops-team/crew", job: "notes, right folder" },
  { kind: "crew", folder: "ops-team/crew", job: "notes, wrong folder" },
  {
    kind: "chat",
    path: "support-team/chats/2026-01-14.jsonl",
    runs: [
      ["broken-shade-refund", "attentive"],
      ["broken-shade-refund", "confused"],
      ["kettle-new-address", "attentive"],
      ["kettle-new-address", "brusque"],
    ],
  },
  {
    kind: "chat",
    path: "support-team/chats/one-bad-line.jsonl",
    runs: [
      ["rug-charged-twice", "attentive"],
      ["rug-charged-twice", "brusque"],
    ],
    breakAfter: 1,
  },
  {
    kind: "help-desk",
    path: "support-team/help-desk/cases.jsonl",
    runs: [
      ["rug-charged-twice", "confused"],
      ["rug-charged-twice", "cautious"],
      ["rug-charged-twice", "attentive"],
      ["broken-shade-refund", "cautious"],
    ],
  },
  { kind: "atif-support", path: "support-team/atif/kettle.json", run: ["kettle-new-address", "confused"] },
];
