import { exportReportKey } from "../../shared/contracts/keys.ts";
import type {
  BoundedCount,
  DatasetStatus,
  DeploymentStatus,
} from "../../shared/operations/deployment-status.ts";
import { pc } from "./colours.ts";
import { duration, many, printable, table } from "./terminal.ts";

/** What people see of a deployment; `now` in milliseconds. */
export function statusReport(status: DeploymentStatus, now: number): string {
  const { deployment, stages, scored, unscored, judge, rejected } = status;
  const lines = [`${pc.bold("Deployment")}  ${deployment}`, "", stageTable(stages), ""];
  for (const { stage, dead } of stages) {
    if (dead === 0) continue;
    lines.push(`  ${pc.red("✗")} ${stage} gave up on ${many(dead, "message")}`);
    lines.push(`    ${pc.dim("→")} mend the cause, then: gymline redrive ${stage}`);
  }
  lines.push(
    `  ${many(scored, "trajectory", "trajectories")} scored, ${counted(unscored)} waiting for a score`,
  );
  if (judge.batches.count + judge.waiting.count > 0) {
    const { batches, waiting } = judge;
    lines.push(
      `  ${counted(batches)} batches of the judge are away, ${counted(waiting)} trajectories wait for its money`,
    );
  }
  lines.push(`  ${counted(rejected)} dropped objects with a report under rejected/`);
  lines.push("", pc.bold("Datasets"), datasetTable(status.datasets, now));
  lines.push(...status.datasets.flatMap((dataset) => withoutVersion(dataset, now)), "", jobLine(status));
  return lines.join("\n");
}

function stageTable(stages: DeploymentStatus["stages"]): string {
  const columns = [
    { title: "stage" },
    { title: "waiting", align: "right" },
    { title: "in flight", align: "right" },
    { title: "oldest", align: "right" },
    { title: "gave up", align: "right" },
  ] as const;
  const rows = stages.map(({ stage, waiting, inFlight, oldestSeconds, dead }) => [
    stage,
    String(waiting),
    String(inFlight),
    oldestSeconds === null ? "–" : duration(oldestSeconds),
    String(dead),
  ]);
  return table(columns, rows);
}

function datasetTable(datasets: readonly DatasetStatus[], now: number): string {
  if (datasets.length === 0) return "  none yet";
  const columns = [
    { title: "dataset" },
    { title: "latest" },
    { title: "rows", align: "right" },
    { title: "age", align: "right" },
    { title: "announced" },
    { title: "versions", align: "right" },
    { title: "scores seen", align: "right" },
    { title: "asked at", align: "right" },
    { title: "next" },
  ] as const;
  const rows = datasets.map(({ name, latest, versions, consumed, asked, pending }) => [
    name,
    latest?.version ?? "–",
    latest === null ? "–" : String(latest.rows),
    latest === null ? "–" : duration((now - latest.createdAt) / 1000),
    latest === null ? "–" : latest.announced ? "yes" : "not yet",
    String(versions),
    String(consumed),
    String(asked),
    pending ?? "–",
  ]);
  return table(columns, rows);
}

/** What to say of a dataset whose last export wrote no version. */
function withoutVersion({ name, last }: DatasetStatus, now: number): readonly string[] {
  if (last?.why === undefined) return [];
  const [mark, verb] =
    last.outcome === "failed" ? [pc.red("✗"), "failed"] : [pc.yellow("!"), "wrote nothing"];
  const age = duration((now - last.at) / 1000);
  return [
    `  ${mark} the last export of ${name} ${verb} ${age} ago: ${printable(last.why)}`,
    `    ${pc.dim("→")} ${exportReportKey(name)} in the store says where and what to do`,
  ];
}

function jobLine({ jobs }: DeploymentStatus): string {
  if (jobs.kind === "unknown") return `${pc.bold("Jobs")}  not known: ${printable(jobs.reason)}`;
  const some = Object.entries(jobs.states).filter(([, { count }]) => count > 0);
  const text = some.map(([state, count]) => `${counted(count)} ${state.toLowerCase()}`).join(", ");
  return `${pc.bold("Jobs")}  ${text === "" ? "none" : text}`;
}

function counted({ count, more }: BoundedCount): string {
  return more ? `more than ${count.toLocaleString("en")}` : count.toLocaleString("en");
}
