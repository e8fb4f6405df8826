import type { Construct } from "constructs";
import { permit } from "../constructs/permit.ts";
import type { Pipeline } from "../constructs/pipeline.ts";
import {
  eraseObjects,
  listBucket,
  readObjects,
  sendTo,
  useCatalog,
  writeObjects,
} from "../constructs/rights.ts";
import { StageConstruct } from "../constructs/stage.ts";

/** Trajectories → scores. */
export function scoreStage(scope: Construct, pipeline: Pipeline): StageConstruct {
  const stage = new StageConstruct(scope, "Score", { pipeline, stage: "score" });
  const { store, table, queues } = pipeline;
  permit(
    stage.role,
    readObjects(store, "trajectories/", "scores/", "judgements/", "labels/"),
    writeObjects(store, "scores/"),
    // The score of a trajectory that is forgotten meanwhile goes with it.
    ...eraseObjects(store, "scores/"),
    listBucket(store),
    ...useCatalog(table),
    sendTo(queues.export.queue, queues.judge.queue),
  );
  return stage;
}
