import type { Command } from "commander";
import { openForReading } from "../../../shared/adapters/local/local-store.ts";
import { systemClock } from "../../../shared/adapters/local/system-clock.ts";
import { gdiOf } from "../../../shared/curation/gdi.ts";
import { loadEvidence } from "../../../shared/stages/score-evidence.ts";
import type { StoredScore } from "../../../shared/stages/score-trajectory.ts";
import { type AgentStep, agentSteps } from "../../../shared/trajectory/agent-steps.ts";
import { contentText } from "../../../shared/trajectory/content.ts";
import type { Trajectory } from "../../../shared/trajectory/schema.ts";
import { pc } from "../colours.ts";
import { gdiText } from "../gdi-text.ts";
import { printJudgements } from "../judge-block.ts";
import { examples, storeOption } from "../options.ts";
import { scoreLines, stepLayers } from "../score-report.ts";
import { loadScore, loadTrajectory, resolveId } from "../store-access.ts";
import { figure, many, out, printable, printableLines, verdict } from "../terminal.ts";

interface ShowOptions {
  readonly store: string;
  readonly revision?: string;
  readonly scorer?: string;
  readonly full?: boolean;
  readonly judge?: boolean;
  readonly json?: boolean;
}

/** Characters of a message, argument or output shown without `--full`. */
const SHORT = 600;

export function addShow(program: Command): void {
  const command = program
    .command("show")
    .description("show one trajectory with the scores of its steps")
    .argument("<id>", "trajectory id; its first digits will do")
    .option("--revision <rev>", "an older revision of the document")
    .option("--scorer <id>", "the scores of another scorer")
    .option("--full", "do not shorten long texts")
    .option("--judge", "what judges said of it instead of its steps")
    .option("--json", "the stored document and score as one JSON document");
  storeOption(command);
  examples(command, ["gymline show 3f2a91 --store out", "gymline show 3f2a91 --full | less -R"]).action(show);
}

async function show(text: string, options: ShowOptions): Promise<void> {
  const local = openForReading(options.store);
  try {
    const { store, catalog } = local;
    const id = await resolveId(catalog, text);
    const trajectory = await loadTrajectory(store, id, options.revision);
    const entry = await catalog.entry(id);
    const score = await loadScore(store, id, options.scorer ?? entry?.scorer ?? null);
    if (options.json === true) {
      out(JSON.stringify({ trajectory, score: score ?? null }));
      return;
    }
    header(trajectory, score);
    if (entry !== undefined) out(`${pc.dim("gdi".padEnd(10))}${gdiText(gdiOf(entry, systemClock.now()))}`);
    const revisions = await catalog.revisions(id);
    if (revisions.length > 1) out(`revisions ${revisions.join(", ")}`);
    if (options.judge === true) {
      const evidence = await loadEvidence(id, local);
      printJudgements(evidence?.judgements ?? [], trajectory.extra.gymline.provenance.revision);
      return;
    }
    steps(trajectory, score, options.full === true ? Number.POSITIVE_INFINITY : SHORT);
  } finally {
    await local.close();
  }
}

function header(trajectory: Trajectory, score: StoredScore | undefined): void {
  const { task, outcome, provenance, redaction, fidelity, lint, id, content_id } = trajectory.extra.gymline;
  const line = (name: string, value: string): void => out(`${pc.dim(name.padEnd(10))}${printable(value)}`);
  line("id", id);
  line("content", content_id);
  line("task", task.id ?? "no id; grouped by its first user message");
  if (task.repo !== undefined)
    line("repo", `${task.repo}${task.base_commit === undefined ? "" : ` @ ${task.base_commit}`}`);
  line(
    "agent",
    [trajectory.agent.name, trajectory.agent.version, trajectory.agent.model_name ?? ""].join(" "),
  );
  line("format", `${provenance.format}, ${provenance.variant ?? "–"} (revision ${provenance.revision})`);
  const source = outcome.label_source === undefined ? "" : `, says ${outcome.label_source}`;
  line(
    "solved",
    `${verdict(outcome.success)}${source}${outcome.exit_status === undefined ? "" : `; exit ${outcome.exit_status}`}`,
  );
  if (score !== undefined) {
    for (const [name, text] of scoreLines(score)) line(name, text);
  }
  const types = Object.entries(redaction.by_type).map(([type, count]) => `${type} ${count}`);
  line("redacted", types.length === 0 ? "nothing" : types.join(", "));
  for (const loss of fidelity.dropped) line("dropped", `${loss.path}: ${loss.reason} (${loss.count}×)`);
  for (const remark of fidelity.notes) line("note", remark);
  for (const warning of lint) {
    line(
      "warning",
      `${warning.code}: ${warning.message}${warning.step === undefined ? "" : ` (step ${warning.step})`}`,
    );
  }
}

function steps(trajectory: Trajectory, score: StoredScore | undefined, limit: number): void {
  const turns = new Map(agentSteps(trajectory).map((turn) => [turn.stepId, turn]));
  for (const step of trajectory.steps) {
    const turn = turns.get(step.step_id);
    const copied = step.is_copied_context === true ? pc.dim(" (copied context)") : "";
    const scored = turn === undefined ? undefined : score?.steps[turn.index];
    const layers = scored === undefined ? "" : stepLayers(scored);
    const detail = layers === "" ? "" : pc.dim(` (${layers})`);
    const reward = scored === undefined ? "" : `  ${pc.dim("reward")} ${figure(scored.total)}${detail}`;
    out(`\n${pc.bold(`${step.step_id} ${step.source}`)}${copied}${reward}`);
    for (const { code, message } of scored?.reasons ?? [])
      out(`  ${pc.yellow(`▼ ${code}`)} ${printable(message)}`);
    if (step.reasoning_content) body(pc.dim("reasoning"), step.reasoning_content, limit);
    const message = contentText(step.message);
    if (message !== "") body("", message, limit);
    if (turn !== undefined) calls(turn, limit);
    else
      for (const result of step.observation?.results ?? [])
        body(pc.dim("←"), contentText(result.content), limit);
  }
  const turnCount = turns.size;
  out(`\n${many(trajectory.steps.length, "step")}, ${many(turnCount, "agent turn")}`);
}

function calls(turn: AgentStep, limit: number): void {
  for (const call of turn.calls) {
    const written = call.from === "text" ? pc.dim(" (read from the message)") : "";
    out(`  ${pc.cyan(`→ ${printable(call.tool)}`)}${written}`);
    for (const [name, value] of Object.entries(call.params)) {
      body(pc.dim(`  ${printable(name)}:`), typeof value === "string" ? value : JSON.stringify(value), limit);
    }
    const exit = call.exitCode === null ? "" : pc.dim(` exit ${call.exitCode}`);
    if (call.output === null) out(`  ${pc.dim("← no output in the log")}`);
    else body(`${pc.cyan("←")}${exit}`, call.output, limit);
  }
  for (const text of turn.observations) body(pc.cyan("←"), text, limit);
}

function body(label: string, text: string, limit: number): void {
  const cut =
    text.length > limit ? `${text.slice(0, limit)}… (${text.length - limit} more characters)` : text;
  const lines = printableLines(cut.trimEnd()).split("\n");
  const head = label === "" ? "" : `${label} `;
  out(lines.map((line, index) => `  ${index === 0 ? head : "  "}${line}`).join("\n"));
}
