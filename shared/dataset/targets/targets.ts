import { GROUP_TARGETS } from "./group-targets.ts";
import { KNOWLYR_TARGETS } from "./knowlyr-targets.ts";
import { PREFERENCE_TARGETS } from "./preference-targets.ts";
import { SFT_TARGETS } from "./sft-targets.ts";
import type { Target } from "./target.ts";

/** Every format a dataset may be written in: which columns its trainer reads, and where that is said. */
export const TARGETS = {
  ...SFT_TARGETS,
  ...PREFERENCE_TARGETS,
  ...GROUP_TARGETS,
  ...KNOWLYR_TARGETS,
} as const satisfies Readonly<Record<string, Target>>;

export type TargetId = keyof typeof TARGETS;

export const TARGET_IDS = Object.keys(TARGETS) as readonly TargetId[];

export function targetOf(id: TargetId): Target {
  return TARGETS[id];
}
