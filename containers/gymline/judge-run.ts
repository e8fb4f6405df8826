import { setTimeout as sleep } from "node:timers/promises";
import type { LocalStore } from "../../shared/adapters/local/local-store.ts";
import { systemClock } from "../../shared/adapters/local/system-clock.ts";
import { swapConsistency } from "../../shared/judge/reliability.ts";
import type { Selection } from "../../shared/ports/catalog.ts";
import { type CollectReport, judgeCollect } from "../../shared/stages/judge/collect.ts";
import type { forecastJudging } from "../../shared/stages/judge/forecast.ts";
import { swappedVerdicts } from "../../shared/stages/judge/pairs.ts";
import type { JudgePorts } from "../../shared/stages/judge/ports.ts";
import { judgeRepeats } from "../../shared/stages/judge/repeat.ts";
import { dayOf, spentOn } from "../../shared/stages/judge/spend.ts";
import { judgeSubmit, selectedIds } from "../../shared/stages/judge/submit.ts";
import { type JudgeReport, JudgeTally } from "../../shared/stages/judge/tally.ts";
import type { Rescored } from "../../shared/stages/reprocess.ts";
import { EXIT } from "./exit-code.ts";
import { comparePairs, pairsReport, repeatReport } from "./judge-reliability.ts";
import { callsLine, collectedReport, judgeReport } from "./judge-report.ts";
import { type JudgeSettingsOptions, numeric, whole } from "./judge-settings.ts";
import type { Progress } from "./progress.ts";
import { type SelectionOptions, selectionOf } from "./selection-options.ts";
import { resolveId } from "./store-access.ts";
import { many, note, out } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

/** Options of `gymline judge`. */
export interface JudgeOptions extends JudgeSettingsOptions, Omit<SelectionOptions, "model"> {
  readonly agentModel?: string;
  readonly store: string;
  readonly limit?: string;
  readonly direct?: boolean;
  readonly again?: boolean;
  readonly retry?: boolean;
  readonly collect?: boolean;
  readonly wait?: boolean;
  readonly poll: string;
  readonly dryRun?: boolean;
  readonly status?: boolean;
  readonly abandon?: string;
  readonly pairs?: string;
  readonly out?: string;
  readonly repeat?: string;
  readonly seed: string;
  readonly json?: boolean;
}

/** A run of the judge on a store that is open for writing. */
export interface JudgeWork {
  readonly ids: readonly string[];
  readonly options: JudgeOptions;
  readonly local: LocalStore;
  readonly ports: JudgePorts;
  readonly progress: Progress;
  readonly pollMs: number;
}

export async function submitAndCollect(work: JudgeWork, rescored: readonly Rescored[]): Promise<void> {
  const { ids, options, local, ports, progress, pollMs } = work;
  const tally = new JudgeTally();
  const { config } = ports.settings;
  const by =
    options.direct !== true && config.batch && ports.model.batches !== undefined ? "batch" : "direct";
  let collected: CollectReport | null = null;
  if (options.collect !== true) {
    await judgeSubmit({ ...(await requestOf(ids, { options, local })), by }, ports, tally);
  }
  const fault = tally.report().fault;
  if (options.collect === true || (options.wait === true && fault === null)) {
    collected = await collectAll(ports, { tally, pollMs, wait: options.wait === true });
  }
  progress.end();
  const report = tally.report();
  print({ report, collected, rescored, today: await spentToday(local) }, options);
  process.exitCode = exitCodeOf(report);
}

export async function comparePairsOf(
  files: { readonly pairs: string; readonly out: string },
  { options, local, ports, progress }: JudgeWork,
): Promise<void> {
  const compared = await comparePairs(files, ports);
  progress.end();
  const { report, rows } = compared;
  const today = await spentToday(local);
  if (options.json === true) {
    const consistency = swapConsistency(swappedVerdicts(rows));
    out(
      JSON.stringify({
        schema: "gymline.judge-pairs.v1",
        pairs: rows.length,
        consistency,
        ...report,
        spentToday: today,
      }),
    );
  } else {
    out(pairsReport(compared));
    out(callsLine(report, today));
  }
  finish(report, options);
}

export async function repeatJudging(
  times: string,
  { ids, options, local, ports, progress }: JudgeWork,
): Promise<void> {
  const count = whole("--repeat", times) ?? 0;
  if (count < 2) throw new UsageError("--repeat takes a whole number from 2 on");
  const { ids: found, limit: sample = 20 } = await requestOf(ids, { options, local });
  const all: string[] = [];
  for await (const id of found) all.push(id);
  const seed = numeric("--seed", options.seed) ?? 42;
  const report = await judgeRepeats({ ids: all, times: count, sample, seed }, ports);
  progress.end();
  const today = await spentToday(local);
  if (options.json === true)
    out(JSON.stringify({ schema: "gymline.judge-repeat.v1", ...report, spentToday: today }));
  else {
    out(repeatReport(report));
    out(callsLine(report, today));
  }
  finish(report, options);
}

/** What every run ends with: the fault, what is left, the exit code. */
function finish(report: JudgeReport, options: JudgeOptions): void {
  if (report.left > 0 && options.json !== true) out(`${report.left} left: the limit on money is reached`);
  if (report.fault !== null) note(`gymline: ${report.fault}`);
  process.exitCode = exitCodeOf(report);
}

async function spentToday({ ledger }: LocalStore): Promise<number> {
  return (await spentOn(dayOf(systemClock), ledger)).usd;
}

async function collectAll(
  ports: JudgePorts,
  { tally, pollMs, wait }: { readonly tally: JudgeTally; readonly pollMs: number; readonly wait: boolean },
): Promise<CollectReport> {
  let collected = 0;
  for (;;) {
    tally.waiting = 0;
    const report = await judgeCollect(ports, tally);
    collected += report.collected;
    const open = report.open.length - report.otherProvider;
    if (!wait || open <= 0 || report.stoppedBy === "fault") return { ...report, collected };
    await sleep(pollMs);
  }
}

interface Outcome {
  readonly report: JudgeReport;
  readonly collected: CollectReport | null;
  readonly rescored: readonly Rescored[];
  readonly today: number;
}

function print({ report, collected, rescored, today }: Outcome, options: JudgeOptions): void {
  if (options.json === true) {
    const open = collected?.open ?? null;
    out(
      JSON.stringify({
        schema: "gymline.judge-run.v1",
        ...report,
        collected: collected?.collected ?? null,
        open,
        rescored,
        spentToday: today,
      }),
    );
  } else {
    if (collected !== null) out(collectedReport(collected));
    out(judgeReport(report, { rescored, today }));
    for (const { submission, batch, requests } of report.batches) {
      out(`submitted ${many(requests, "call")} as batch ${batch} (${submission})`);
    }
    const open = collected === null ? report.batches.length : collected.open.length;
    if (open > 0) out(`take the answers in with: gymline judge --collect --store ${options.store}`);
  }
  if (report.fault !== null) note(`gymline: ${report.fault}`);
}

function exitCodeOf({ fault, left, unanswered, failures }: JudgeReport): number {
  if (fault !== null) return EXIT.fault;
  return left > 0 || unanswered > 0 || Object.keys(failures).length > 0 ? EXIT.rejected : EXIT.done;
}

export async function requestOf(
  ids: readonly string[],
  { options, local }: { readonly options: JudgeOptions; readonly local: LocalStore },
): Promise<Parameters<typeof forecastJudging>[0]> {
  const limit = whole("--limit", options.limit);
  const named: string[] = [];
  for (const id of ids) named.push(await resolveId(local.catalog, id));
  return {
    ids: named.length > 0 ? named : selectedIds(agentSelection(options), local),
    ...(limit === undefined ? {} : { limit }),
    retry: options.retry === true,
    always: options.again === true,
  };
}

/** `--model` names the judge here. */
function agentSelection({ agentModel, model: _, ...options }: JudgeOptions): Selection {
  return selectionOf({ ...options, ...(agentModel === undefined ? {} : { model: agentModel }) });
}
