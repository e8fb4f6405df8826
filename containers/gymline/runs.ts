import type { LeaderboardRun } from "../../shared/leaderboard/leaderboard.ts";
import type { Catalog } from "../../shared/ports/catalog.ts";
import { type SelectionOptions, selectionOf } from "./selection-options.ts";
import { UsageError } from "./usage-error.ts";

/** What leaderboards count of each trajectory that is selected; no text. */
export async function collectRuns(
  catalog: Catalog,
  filters: SelectionOptions,
): Promise<readonly LeaderboardRun[]> {
  const runs: LeaderboardRun[] = [];
  for await (const entry of catalog.select(selectionOf(filters))) {
    const { id, agent, model, domain, taskKey, reward, process, outcome, success, agentSteps } = entry;
    runs.push({ id, agent, model, domain, taskKey, reward, process, outcome, success, agentSteps });
  }
  return runs;
}

export interface RunGroup {
  /** As it was given. */
  readonly text: string;
  readonly store: string;
  readonly filters: SelectionOptions;
}

/** What a group of runs may be told by, and the filter that means. */
const GROUP_FIELDS = {
  agent: "agent",
  model: "model",
  domain: "onlyDomain",
  project: "project",
  format: "sourceFormat",
  task: "task",
} as const satisfies Record<string, keyof SelectionOptions>;

/** Reads `agent=x,model=y`; `store=<dir>` takes the group from another store. @throws UsageError */
export function groupOf(text: string, store: string): RunGroup {
  let folder = store;
  const filters: Record<string, string> = {};
  for (const part of text.split(",")) {
    const at = part.indexOf("=");
    const [key, value] = [part.slice(0, at).trim(), part.slice(at + 1).trim()];
    const names = ["store", ...Object.keys(GROUP_FIELDS)];
    if (at < 0 || value === "" || !names.includes(key)) {
      throw new UsageError(`"${part}" tells no group: give ${names.join("=…, ")}=…, separated by commas`);
    }
    if (key === "store") folder = value;
    else filters[GROUP_FIELDS[key as keyof typeof GROUP_FIELDS]] = value;
  }
  return { text, store: folder, filters };
}
