import type { Construct } from "constructs";
import { permit } from "../constructs/permit.ts";
import type { Pipeline } from "../constructs/pipeline.ts";
import { StageConstruct } from "../constructs/stage.ts";
import {
  deleteObjects,
  listBucket,
  listVersions,
  publishTo,
  readObjects,
  sendTo,
  submitJobs,
  useCatalog,
  writeObjects,
} from "./rights.ts";

/** Scored trajectories → dataset versions. */
export function exportStage(scope: Construct, pipeline: Pipeline): StageConstruct {
  const stage = new StageConstruct(scope, "Export", { pipeline, stage: "export" });
  const { store, table, bus, queues, config } = pipeline;
  permit(
    stage.role,
    readObjects(store, "trajectories/", "scores/", "blobs/", "datasets/"),
    writeObjects(store, "datasets/"),
    // What an export left that did not finish.
    deleteObjects(store, "datasets/"),
    listBucket(store),
    listVersions(store),
    ...useCatalog(table),
    sendTo(queues.export.queue),
    publishTo(bus),
    submitJobs(scope, config.name),
  );
  return stage;
}
