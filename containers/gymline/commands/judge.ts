import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import {
  type LocalStore,
  openForReading,
  openForWriting,
} from "../../../shared/adapters/local/local-store.ts";
import { systemClock } from "../../../shared/adapters/local/system-clock.ts";
import { modelOf } from "../../../shared/adapters/models/model-of.ts";
import type { JudgeConfig } from "../../../shared/judge/config.ts";
import { swapConsistency } from "../../../shared/judge/reliability.ts";
import type { ChatModel } from "../../../shared/ports/chat-model.ts";
import { abandonBatch } from "../../../shared/stages/judge/abandon.ts";
import { type CollectReport, judgeCollect, openBatches } from "../../../shared/stages/judge/collect.ts";
import { forecastJudging } from "../../../shared/stages/judge/forecast.ts";
import { swappedVerdicts } from "../../../shared/stages/judge/pairs.ts";
import type { JudgePorts } from "../../../shared/stages/judge/ports.ts";
import { judgeRepeats } from "../../../shared/stages/judge/repeat.ts";
import { dayOf, spentOn } from "../../../shared/stages/judge/spend.ts";
import { judgeSubmit, selectedIds } from "../../../shared/stages/judge/submit.ts";
import { type JudgeReport, JudgeTally } from "../../../shared/stages/judge/tally.ts";
import { type Rescored, rescore } from "../../../shared/stages/reprocess.ts";
import { EXIT } from "../exit-code.ts";
import { comparePairs, pairsReport, repeatReport } from "../judge-reliability.ts";
import {
  batchesReport,
  callsLine,
  collectedReport,
  forecastReport,
  judgeReport,
  usdText,
} from "../judge-report.ts";
import { type JudgeSettingsOptions, judgeSettings, numeric, whole } from "../judge-settings.ts";
import { examples, storeOption } from "../options.ts";
import { startCompute } from "../pipeline.ts";
import { type Progress, startProgress } from "../progress.ts";
import { type SelectionOptions, selectionOf, selectionOptions } from "../selection-options.ts";
import { resolveId } from "../store-access.ts";
import { many, note, out } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

interface JudgeOptions extends JudgeSettingsOptions, SelectionOptions {
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

export function addJudge(program: Command): void {
  const command = program
    .command("judge")
    .description("have a model score the steps of stored trajectories; scores them anew")
    .argument("[ids...]", "these trajectories only, whatever the gate says; first digits will do")
    .option("--dry-run", "say what it would cost; makes no call and needs no key")
    .option("--direct", "answers now, at the full price (default: batches, where the provider has them)")
    .option("--collect", "take in batches that have ended, and submit nothing")
    .option("--wait", "wait for the batches to end; may be stopped and started again")
    .option("--poll <seconds>", "how often --wait looks", "30")
    .option("--status", "open batches and what was spent today")
    .option("--abandon <submission>", "give up a batch whose answers are lost")
    .option("--pairs <file>", "compare pairs of a JSON Lines file, each both ways round, instead")
    .option("--out <file>", "where the verdicts of --pairs go; a file that is there is gone on with")
    .option(
      "--repeat <n>",
      "judge a sample (--limit, default 20) n times and say how far the judge agrees with itself",
    )
    .option("--seed <n>", "draws the sample of --repeat", "42")
    .option("--provider <name>", "anthropic or openai-compatible")
    .option("--model <name>", "the model that judges")
    .option("--base-url <url>", "address of the provider, for gateways and local models")
    .option("--samples <n>", "answers per question; their mean counts")
    .option("--per-step", "one step a call: dearer, and each step for itself")
    .option("--band <low..high>", "only rewards in this band, and a share of the others; or all")
    .option("--share <x>", "share of the others that is judged all the same (default: 0.05)")
    .option("--limit <n>", "at most so many trajectories")
    .option("--max-usd <x>", "spend at most this much in this run")
    .option("--retry", "also where windows failed last time")
    .option("--again", "also what is judged already; answers in the cache cost nothing")
    .option("-d, --domain <name|file>", "judge everything by the rubrics of this domain")
    .option("-c, --config <file>", "configuration file (default: ./gymline.json, if there is one)")
    .option("--json", "print JSON");
  selectionOptions(storeOption(command));
  examples(command, [
    "gymline judge --dry-run --band 0.3..0.7",
    "gymline judge --band 0.3..0.7 --max-usd 2        # submits a batch",
    "gymline judge --collect                          # later: takes its answers in",
    "gymline judge 3f2a91 --direct --samples 3",
    "gymline judge --repeat 3 --limit 30",
    "gymline judge --pairs pairs.jsonl --out verdicts.jsonl",
    "gymline judge --direct --provider openai-compatible --base-url http://localhost:8000/v1 --model qwen3",
  ]).action(judge);
}

async function judge(ids: readonly string[], options: JudgeOptions): Promise<void> {
  if (options.status === true || options.dryRun === true) await look(ids, options);
  else if (options.abandon !== undefined) await abandon(options.abandon, options);
  else await work(ids, options);
}

async function look(ids: readonly string[], options: JudgeOptions): Promise<void> {
  const { plan, judge: config } = judgeSettings(withIds(options, ids));
  const local = openForReading(options.store);
  try {
    const day = dayOf(systemClock);
    if (options.status === true) {
      const open = await openBatches(local);
      const spent = await spentOn(day, local.ledger);
      const facts = { schema: "gymline.judge-status.v1", open, day, spent, budgets: config.budgets };
      if (options.json === true) return out(JSON.stringify(facts));
      out(batchesReport(open, systemClock.now()));
      const limit =
        config.budgets.usdPerDay === null ? "no limit" : `of ${usdText(config.budgets.usdPerDay)}`;
      out(
        `spent today (${day}, UTC): ${usdText(spent.usd)}, ${usdText(spent.reserved)} more reserved; ${limit}`,
      );
      return;
    }
    const { profile, rubrics } = plan;
    const settings = { config, ...(profile && { profile }), ...(rubrics && { rubrics }) };
    const forecast = await forecastJudging(await requestOf(ids, { options, local }), { ...local, settings });
    const facts = { schema: "gymline.judge-forecast.v1", model: config.model, ...forecast };
    out(options.json === true ? JSON.stringify(facts) : forecastReport(forecast, config.model));
  } finally {
    await local.close();
  }
}

async function abandon(submission: string, options: JudgeOptions): Promise<void> {
  const local = await existing(options.store);
  try {
    const given = await abandonBatch(submission, local);
    if (given === undefined)
      throw new UsageError(`there is no open batch ${submission}: see gymline judge --status`);
    out(
      `gave up ${submission} with ${many(given.trajectories, "trajectory", "trajectories")}; what it may have cost stays counted`,
    );
  } finally {
    await local.close();
  }
}

async function work(ids: readonly string[], options: JudgeOptions): Promise<void> {
  const pollMs = (whole("--poll", options.poll) ?? 30) * 1000;
  if ((options.pairs === undefined) !== (options.out === undefined)) {
    throw new UsageError("--pairs <file> and --out <file> go together");
  }
  const { plan, judge: config } = judgeSettings(withIds(options, ids));
  const model = await modelFor(config);
  const local = await existing(options.store);
  const { compute } = await startCompute(plan, 0);
  const progress = startProgress("judging", { quiet: options.json === true });
  const rescored: Rescored[] = [];
  const { profile, rubrics } = plan;
  const ports: JudgePorts = {
    ...local,
    settings: { config, ...(profile && { profile }), ...(rubrics && { rubrics }) },
    clock: systemClock,
    model,
    run: `${new Date().toISOString().replace(/\D/g, "").slice(0, 14)}-${randomBytes(4).toString("hex")}`,
    newId: () => randomBytes(6).toString("hex"),
    scored: async (list) => {
      for await (const each of rescore({ ids: list }, { ...local, compute })) rescored.push(each);
    },
    onProgress: (state) => progress.update(state),
  };
  const work: Work = { ids, options, local, ports, progress, pollMs };
  try {
    if (options.pairs !== undefined && options.out !== undefined) {
      await pairs({ pairs: options.pairs, out: options.out }, work);
    } else if (options.repeat !== undefined) await repeat(options.repeat, work);
    else await submitAndCollect(work, rescored);
  } finally {
    progress.end();
    await compute.close();
    await local.close();
  }
}

interface Work {
  readonly ids: readonly string[];
  readonly options: JudgeOptions;
  readonly local: LocalStore;
  readonly ports: JudgePorts;
  readonly progress: Progress;
  readonly pollMs: number;
}

async function submitAndCollect(work: Work, rescored: readonly Rescored[]): Promise<void> {
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

async function pairs(
  files: { readonly pairs: string; readonly out: string },
  { options, local, ports, progress }: Work,
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

async function repeat(times: string, { ids, options, local, ports, progress }: Work): Promise<void> {
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

/** Whoever names trajectories wants them judged. */
function withIds(options: JudgeOptions, ids: readonly string[]): JudgeOptions {
  return ids.length > 0 && options.band === undefined ? { ...options, band: "all" } : options;
}

async function requestOf(
  ids: readonly string[],
  { options, local }: { readonly options: JudgeOptions; readonly local: LocalStore },
): Promise<Parameters<typeof forecastJudging>[0]> {
  const limit = whole("--limit", options.limit);
  const named: string[] = [];
  for (const id of ids) named.push(await resolveId(local.catalog, id));
  return {
    ids: named.length > 0 ? named : selectedIds(selectionOf(options), local),
    ...(limit === undefined ? {} : { limit }),
    retry: options.retry === true,
    always: options.again === true,
  };
}

/** Of the configured provider; its key comes from the environment. @throws ModelSettingsError */
export async function modelFor({ provider, model, baseUrl }: JudgeConfig): Promise<ChatModel> {
  return modelOf({ provider, model, baseUrl }, process.env);
}

/** The store for writing, which must be there. @throws NoStoreError, StoreBusyError */
async function existing(folder: string): Promise<LocalStore> {
  await openForReading(folder).close();
  return openForWriting(folder);
}
