import type { Command } from "commander";
import { openForReading } from "../../../shared/adapters/local/local-store.ts";
import { factSteps } from "../../../shared/reward/fact-steps.ts";
import { buildReferences, type SizeRow, trajectorySizes } from "../../../shared/reward/references.ts";
import { trajectoryFacts } from "../../../shared/reward/trajectory-facts.ts";
import { profileFor } from "../../../shared/stages/score-trajectory.ts";
import { examples, storeOption } from "../options.ts";
import { loadTrajectory } from "../store-access.ts";
import { many, note, out } from "../terminal.ts";

interface ReferencesOptions {
  readonly store: string;
  readonly project?: string;
}

export function addReferences(program: Command): void {
  const command = program
    .command("references")
    .description("median sizes of a store's trajectories by task, agent and domain, to score new ones by")
    .option("--project <label>", "this project only");
  storeOption(command);
  examples(command, [
    "gymline references --store out > references.json",
    "gymline references --store out --project support | jq .domains",
  ]).action(references);
}

async function references({ store: folder, project }: ReferencesOptions): Promise<void> {
  const local = openForReading(folder);
  try {
    const rows: SizeRow[] = [];
    for await (const { id, taskKey, agent } of local.catalog.select(
      project === undefined ? {} : { project },
    )) {
      const trajectory = await loadTrajectory(local.store, id);
      const facts = trajectoryFacts(factSteps(trajectory), profileFor(trajectory, undefined));
      rows.push({ taskKey, agent, ...trajectorySizes(facts) });
    }
    const made = buildReferences(rows);
    out(JSON.stringify(made, null, 2));
    const agents = Object.values(made.agents).reduce((sum, of) => sum + Object.keys(of).length, 0);
    const parts = [
      many(Object.keys(made.tasks).length, "task"),
      many(agents, "agent"),
      many(Object.keys(made.domains).length, "domain"),
    ];
    note(`${many(rows.length, "trajectory", "trajectories")}: medians of ${parts.join(", ")}`);
  } finally {
    await local.close();
  }
}
