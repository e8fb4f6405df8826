import type { Command } from "commander";
import { openForReading } from "../../../shared/adapters/local/local-store.ts";
import { trajectoryKey } from "../../../shared/contracts/keys.ts";
import type { DuplicatesReport } from "../../../shared/curation/duplicates-report.ts";
import { NEAR, NearDuplicates, type Ranked } from "../../../shared/curation/near-duplicates.ts";
import { traceOf } from "../../../shared/curation/trace.ts";
import { readDocument } from "../../../shared/stages/compute-tasks.ts";
import { pc } from "../colours.ts";
import { numeric } from "../dataset-options.ts";
import { examples, storeOption } from "../options.ts";
import { startProgress } from "../progress.ts";
import { type SelectionOptions, selectionOf, selectionOptions } from "../selection-options.ts";
import { bytesText, figure, many, out, table } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

interface DuplicatesOptions extends SelectionOptions {
  readonly store: string;
  readonly near?: string;
  readonly limit: string;
  readonly json?: boolean;
}

export function addDuplicates(program: Command): void {
  const command = program
    .command("duplicates")
    .description("find trajectories of a store that did and saw nearly the same");
  selectionOptions(command)
    .option("--near <x>", `least similarity, above 0 and at most 1 (default: ${NEAR})`)
    .option("--limit <n>", "show at most so many clusters", "20")
    .option("--json", "print the whole report as JSON");
  storeOption(command);
  examples(command, [
    "gymline duplicates --store out",
    "gymline duplicates --near 0.95 --json | jq .duplicates",
    "gymline export --store out --near-duplicates 0.95",
  ]).action(duplicates);
}

async function duplicates(options: DuplicatesOptions): Promise<void> {
  const near = numeric("--near", options.near) ?? NEAR;
  if (!(near > 0 && near <= 1))
    throw new UsageError(`--near takes a number above 0 and at most 1, not "${options.near}"`);
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1)
    throw new UsageError(`--limit takes a whole number, not "${options.limit}"`);
  const local = openForReading(options.store);
  const progress = startProgress("comparing", { quiet: options.json === true });
  try {
    const finder = new NearDuplicates(near);
    const tasks = new Map<string, string>();
    const ranked: Ranked[] = [];
    for await (const { id, taskId, reward, success, redactions } of local.catalog.select(
      selectionOf(options),
    )) {
      tasks.set(id, taskId ?? "–");
      ranked.push({ id, reward, success, redactions });
    }
    for (const [done, facts] of ranked.entries()) {
      finder.add(facts, traceOf(readDocument(await local.store.read(trajectoryKey(facts.id)))));
      progress.update({ done, total: ranked.length });
    }
    const report = finder.report();
    progress.end();
    out(options.json === true ? JSON.stringify(report) : textReport(report, { tasks, limit }));
  } finally {
    progress.end();
    await local.close();
  }
}

function textReport(
  report: DuplicatesReport,
  { tasks, limit }: { readonly tasks: ReadonlyMap<string, string>; readonly limit: number },
): string {
  const { clusters, lsh } = report;
  const lines = [
    `${pc.bold("Duplicates")}  ${many(report.duplicates, "near-duplicate")} in ${many(clusters.length, "cluster")} of ${many(report.trajectories, "trajectory", "trajectories")}, similarity ${report.threshold} or more`,
    `  ${many(report.candidates, "candidate")}, ${many(report.checked, "pair")} compared; ${lsh.bands} bands of ${lsh.rows} find a pair at the threshold with probability ${figure(lsh.detection)}; ${bytesText(report.bytes)} of features`,
  ];
  if (report.featureless > 0)
    lines.push(
      `  ${many(report.featureless, "trajectory has nothing to compare", "trajectories have nothing to compare")}`,
    );
  if (clusters.length === 0) return lines.join("\n");
  const rows = clusters
    .slice(0, limit)
    .flatMap(({ representative, members }) => [
      [representative.slice(0, 10), tasks.get(representative) ?? "–", "best", "", ""],
      ...members.map(({ id, similarity, actions, outputs }) => [
        `  ${id.slice(0, 10)}`,
        tasks.get(id) ?? "–",
        figure(similarity),
        figure(actions),
        figure(outputs),
      ]),
    ]);
  const columns = [
    { title: "id" },
    { title: "task", max: 40 },
    { title: "similarity", align: "right" },
    { title: "actions", align: "right" },
    { title: "outputs", align: "right" },
  ] as const;
  lines.push(table(columns, rows));
  if (clusters.length > limit)
    lines.push(`  … and ${many(clusters.length - limit, "cluster")} more: --limit, --json`);
  return lines.join("\n");
}
