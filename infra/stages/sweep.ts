import type { Construct } from "constructs";
import { figure } from "../constructs/figure.ts";
import { permit } from "../constructs/permit.ts";
import type { Pipeline } from "../constructs/pipeline.ts";
import {
  LOOK_AT_JOBS,
  listBucket,
  publishTo,
  readObjects,
  sendTo,
  useCatalog,
} from "../constructs/rights.ts";
import { runbookAlarm } from "../constructs/runbook-alarm.ts";
import { StageConstruct } from "../constructs/stage.ts";

/** Reconciles store, catalog, queues and jobs. It finds what is amiss and sends it to the stage that mends it. */
export function sweepStage(scope: Construct, pipeline: Pipeline): StageConstruct {
  const stage = new StageConstruct(scope, "Sweep", { pipeline, stage: "sweep" });
  const { drop, store, table, bus, queues, config, alarms } = pipeline;
  permit(
    stage.role,
    listBucket(drop),
    // Whether an object is still the one that was read is said by its head, which S3 counts as reading.
    readObjects(drop),
    listBucket(store),
    ...useCatalog(table),
    sendTo(queues.ingest.queue, queues.score.queue, queues.judge.queue, queues.export.queue),
    publishTo(bus),
    LOOK_AT_JOBS,
  );
  runbookAlarm(stage, {
    id: "MissingDocumentsAlarm",
    name: `${config.name}-missing-documents`,
    says: "The catalog names trajectories whose documents are not in the store",
    runbook: "missing-documents",
    metric: figure({ name: config.name, figure: "MissingDocuments", stage: "sweep" }),
    above: 0,
    topic: alarms,
  });
  return stage;
}
