import type { Construct } from "constructs";
import { permit } from "../constructs/permit.ts";
import type { Pipeline } from "../constructs/pipeline.ts";
import {
  deleteObjects,
  eraseObjects,
  LOOK_AT_JOBS,
  listBucket,
  readObjects,
  sendTo,
  submitJobs,
  useCatalog,
  writeObjects,
} from "../constructs/rights.ts";
import { StageConstruct } from "../constructs/stage.ts";

/** Dropped objects → trajectories. Its queue is told of them by the drop bucket. */
export function ingestStage(scope: Construct, pipeline: Pipeline): StageConstruct {
  const stage = new StageConstruct(scope, "Ingest", { pipeline, stage: "ingest" });
  const { drop, store, table, queues, config } = pipeline;
  permit(
    stage.role,
    readObjects(drop),
    listBucket(drop),
    readObjects(store, "trajectories/", "blobs/", "rejected/"),
    writeObjects(store, "trajectories/", "blobs/", "rejected/", "scores/"),
    // A report goes when its object was mended.
    deleteObjects(store, "rejected/"),
    // The score of a trajectory that is forgotten meanwhile goes with it.
    ...eraseObjects(store, "scores/"),
    listBucket(store),
    ...useCatalog(table),
    sendTo(queues.score.queue, queues.export.queue, queues.ingest.deadLetters),
    submitJobs(scope, config.name),
    LOOK_AT_JOBS,
  );
  return stage;
}
