import type { Command } from "commander";
import { type PathItem, readPaths } from "../../../shared/adapters/local/read-paths.ts";
import { type StoredScore, scoreBySettings } from "../../../shared/stages/score-trajectory.ts";
import { agentSteps } from "../../../shared/trajectory/agent-steps.ts";
import type { Trajectory } from "../../../shared/trajectory/schema.ts";
import { pc } from "../colours.ts";
import { criticOption, examples, readingOptions } from "../options.ts";
import { Rejections, readingSettings } from "../reading.ts";
import { rewardOf, scoreLines, stepLayers } from "../score-report.ts";
import type { SettingsOptions } from "../settings.ts";
import { figure, many, note, out, printable, table, verdict } from "../terminal.ts";

interface ScoreOptions extends SettingsOptions {
  readonly steps?: boolean;
  readonly json?: boolean;
}

export function addScore(program: Command): void {
  const command = program
    .command("score")
    .description("score logs by the rules and their outcome; stores nothing")
    .argument("<paths...>", "files and folders of agent logs")
    .option("-d, --domain <name|file>", "score everything by this domain")
    .option("--steps", "show each step's score and why points were taken off")
    .option("--json", "print the full score documents, one a line");
  criticOption(readingOptions(command));
  examples(command, [
    "gymline score logs",
    "gymline score run.traj --steps",
    "gymline score logs --domain coding --json | jq .total",
  ]).action(score);
}

type Found = Extract<PathItem, { kind: "trajectory" }>;

async function score(paths: readonly string[], options: ScoreOptions): Promise<void> {
  const settings = await readingSettings(paths, options);
  const rejections = new Rejections();
  const rows: (readonly string[])[] = [];
  let count = 0;
  for await (const item of readPaths({ paths, settings: settings.ingest })) {
    if (item.kind === "rejected") rejections.add(item.rejection);
    if (item.kind !== "trajectory") continue;
    count += 1;
    const { trajectory } = item.read;
    const { document } = await scoreBySettings(trajectory, settings.score);
    if (options.json === true) out(JSON.stringify({ place: item.place, ...document }));
    else if (options.steps === true) printSteps(item, document);
    else rows.push(rowOf(item, document));
  }
  if (rows.length > 0) {
    out(table(COLUMNS, rows));
    note("0 to 1; – means that nothing says so");
  }
  if (count === 0) note("no trajectory could be scored");
  rejections.report();
}

const COLUMNS = [
  { title: "task", max: 34 },
  { title: "domain" },
  { title: "solved" },
  { title: "reward", align: "right" },
  { title: "outcome", align: "right" },
  { title: "process", align: "right" },
  { title: "steps", align: "right" },
  { title: "deductions", align: "right" },
  { title: "place" },
] as const;

function rowOf({ place, read }: Found, document: StoredScore): readonly string[] {
  return [
    read.row.taskId ?? "–",
    document.domain,
    verdict(read.row.success),
    figure(rewardOf(document)),
    figure(document.outcome),
    figure(document.process),
    String(document.step_count),
    String(document.steps.reduce((sum, step) => sum + step.reasons.length, 0)),
    placeOf(place),
  ];
}

function placeOf({ source, entry, line, jsonPath }: Found["place"]): string {
  const inside = entry === undefined ? "" : `!${entry}`;
  const at = jsonPath ?? (line === undefined || line === 1 ? "" : `:${line}`);
  return `${source}${inside}${jsonPath === undefined ? at : ` ${at}`}`;
}

function printSteps(found: Found, document: StoredScore): void {
  const { row, trajectory } = found.read;
  out(`${pc.bold(printable(placeOf(found.place)))}  ${printable(row.taskId ?? "")}`.trimEnd());
  for (const [name, text] of scoreLines(document)) out(`  ${pc.dim(name.padEnd(8))} ${printable(text)}`);
  const tools = toolsOf(trajectory);
  for (const step of document.steps) {
    const layers = stepLayers(step);
    const detail = layers === "" ? "" : pc.dim(`  ${layers}`);
    out(
      `  ${String(step.index).padStart(4)}  ${figure(step.total)}  ${printable(tools[step.index] ?? "")}${detail}`.trimEnd(),
    );
    for (const { code, message, penalty } of step.reasons) {
      out(`        ${pc.yellow(`▼ ${figure(penalty)} ${code}`)} ${printable(message)}`);
    }
  }
  out(`  ${many(document.step_count, "agent step")}, counted from 0\n`);
}

/** The tools that each agent step calls. */
function toolsOf(trajectory: Trajectory): readonly string[] {
  return agentSteps(trajectory).map(({ calls }) =>
    calls.length === 0 ? "(message)" : calls.map(({ tool }) => tool).join(", "),
  );
}
