import type { Construct } from "constructs";
import { figure } from "../constructs/figure.ts";
import { permit } from "../constructs/permit.ts";
import type { Pipeline } from "../constructs/pipeline.ts";
import {
  eraseObjects,
  listBucket,
  readObjects,
  readSecret,
  sendTo,
  useCatalog,
  writeObjects,
} from "../constructs/rights.ts";
import { runbookAlarm } from "../constructs/runbook-alarm.ts";
import { StageConstruct } from "../constructs/stage.ts";

/** Trajectories → judgements of a model. Without a judge in the settings its queue stays empty. */
export function judgeStage(scope: Construct, pipeline: Pipeline): StageConstruct {
  const stage = new StageConstruct(scope, "Judge", { pipeline, stage: "judge" });
  const { store, table, queues, secret, config, alarms } = pipeline;
  const answers = ["judgements/", "judge-cache/", "judge-batches/"];
  permit(
    stage.role,
    readObjects(store, "trajectories/", ...answers),
    writeObjects(store, ...answers),
    // Of a trajectory that was forgotten while its batch was away nothing may stay.
    ...eraseObjects(store, ...answers),
    listBucket(store),
    ...useCatalog(table),
    sendTo(queues.score.queue, queues.judge.queue),
    readSecret(secret),
  );
  runbookAlarm(stage, {
    id: "FaultsAlarm",
    name: `${config.name}-judge-faults`,
    says: "The judge cannot go on: the provider refuses it, a batch is lost, or its settings do not do",
    runbook: "judge-faults",
    metric: figure({ name: config.name, figure: "JudgeFaults", stage: "judge" }),
    above: 0,
    topic: alarms,
  });
  runbookAlarm(stage, {
    id: "BudgetAlarm",
    name: `${config.name}-judge-budget`,
    says: "The judge's money for the day is spent or promised: trajectories wait for the next day",
    runbook: "judge-budget",
    metric: figure({ name: config.name, figure: "JudgeBudgetReached", stage: "judge" }),
    above: 0,
    topic: alarms,
  });
  return stage;
}
