import { randomBytes } from "node:crypto";
import { type LocalStore, openForReading, openForWriting } from "../../shared/adapters/local/local-store.ts";
import { systemClock } from "../../shared/adapters/local/system-clock.ts";
import { modelOf } from "../../shared/adapters/models/model-of.ts";
import { abandonBatch } from "../../shared/stages/judge/abandon.ts";
import { openBatches } from "../../shared/stages/judge/collect.ts";
import { forecastJudging } from "../../shared/stages/judge/forecast.ts";
import type { JudgePorts } from "../../shared/stages/judge/ports.ts";
import { dayOf, spentOn } from "../../shared/stages/judge/spend.ts";
import { type Rescored, rescore } from "../../shared/stages/reprocess.ts";
import { batchesReport, forecastReport, usdText } from "./judge-report.ts";
import {
  comparePairsOf,
  type JudgeOptions,
  type JudgeWork,
  repeatJudging,
  requestOf,
  submitAndCollect,
} from "./judge-run.ts";
import { judgeSettings, whole } from "./judge-settings.ts";
import { startCompute } from "./pipeline.ts";
import { startProgress } from "./progress.ts";
import { many, out } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

export async function judge(ids: readonly string[], options: JudgeOptions): Promise<void> {
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
    out(options.json === true ? JSON.stringify(facts) : forecastReport(forecast, config));
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
  const { provider, model: name, baseUrl } = config;
  const model = await modelOf({ provider, model: name, baseUrl }, process.env);
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
  const work: JudgeWork = { ids, options, local, ports, progress, pollMs };
  try {
    if (options.pairs !== undefined && options.out !== undefined) {
      await comparePairsOf({ pairs: options.pairs, out: options.out }, work);
    } else if (options.repeat !== undefined) await repeatJudging(options.repeat, work);
    else await submitAndCollect(work, rescored);
  } finally {
    progress.end();
    await compute.close();
    await local.close();
  }
}

/** Whoever names trajectories wants them judged. */
function withIds(options: JudgeOptions, ids: readonly string[]): JudgeOptions {
  return ids.length > 0 && options.band === undefined ? { ...options, band: "all" } : options;
}

/** The store for writing, which must be there. @throws NoStoreError, StoreBusyError */
async function existing(folder: string): Promise<LocalStore> {
  await openForReading(folder).close();
  return openForWriting(folder);
}
