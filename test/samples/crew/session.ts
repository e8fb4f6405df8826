import { clockOfRun, diceOf, iso } from "../clock.ts";
import { openWorkspace } from "../workspace.ts";
import { crewFiles, type JobName, jobs } from "./workers.ts";

/** A session log of the crew: its file name and its lines. */
export interface Session {
  readonly name: string;
  readonly lines: readonly unknown[];
}

/**
 * Lets the crew do one job and logs it. `cut`: the process was ended before it could write the last line, so that
 * nothing says how the session went.
 */
export function recordSession(order: {
  readonly ordinal: number;
  readonly job: JobName;
  readonly cut: boolean;
}): Session {
  const job = jobs[order.job];
  const dice = diceOf(`crew:${order.ordinal}:${order.job}`);
  const clock = clockOfRun(order.ordinal);
  using workspace = openWorkspace(crewFiles);
  const first = job.parts[0];
  const startedAt = iso(clock.now());
  const events: unknown[] = [
    {
      event: "start",
      session_type: job.kind,
      subject: job.subject,
      timestamp: startedAt,
      metadata: job.kind === "employee" ? { args: first.args } : { initial_args: first.args },
    },
    { event: "project_info", files: Object.keys(workspace.files()).length },
  ];
  let report = "";
  for (const part of job.parts) {
    events.push({
      event: "message",
      role: job.kind === "employee" ? "prompt" : "step",
      content: part.prompt,
      timestamp: iso(clock.now()),
      ...(job.kind === "employee" ? {} : { metadata: { employee: part.worker, args: part.args } }),
    });
    report = part.work(workspace, report);
    events.push({
      event: "message",
      role: "assistant",
      content: report,
      timestamp: iso(clock.advance(dice.between(2_000, 9_000))),
      metadata: { model: `scripted-${part.worker}-1` },
    });
  }
  const status = job.accepts(report) ? "completed" : "failed";
  if (!order.cut) events.push({ event: "end", status, timestamp: iso(clock.advance(200)) });
  const day = startedAt.replace(/[-:]/g, "").replace("T", "-").slice(0, 15);
  return { name: `${day}-${dice.hex(8)}`, lines: events };
}
