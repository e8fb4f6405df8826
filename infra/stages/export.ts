import type { Construct } from "constructs";
import { permit } from "../constructs/permit.ts";
import type { Pipeline } from "../constructs/pipeline.ts";
import {
  deleteObjects,
  LOOK_AT_JOBS,
  listBucket,
  publishTo,
  readObjects,
  sendTo,
  submitJobs,
  useCatalog,
  writeObjects,
} from "../constructs/rights.ts";
import { StageConstruct } from "../constructs/stage.ts";

/** Scored trajectories → dataset versions. */
export function exportStage(scope: Construct, pipeline: Pipeline): StageConstruct {
  const stage = new StageConstruct(scope, "Export", { pipeline, stage: "export" });
  const { store, table, bus, queues, config } = pipeline;
  permit(
    stage.role,
    readObjects(store, "trajectories/", "scores/", "datasets/"),
    writeObjects(store, "datasets/", "failed-exports/"),
    // A report goes when a version was written.
    deleteObjects(store, "failed-exports/"),
    listBucket(store),
    ...useCatalog(table),
    sendTo(queues.export.queue),
    publishTo(bus),
    submitJobs(scope, config.name),
    LOOK_AT_JOBS,
  );
  return stage;
}
