import type { Construct } from "constructs";
import { permit } from "../constructs/permit.ts";
import type { Pipeline } from "../constructs/pipeline.ts";
import {
  deleteObjects,
  listBucket,
  readObjects,
  readSecret,
  sendTo,
  useCatalog,
  writeObjects,
} from "../constructs/rights.ts";
import { StageConstruct } from "../constructs/stage.ts";

/** Trajectories → judgements of a model. Without a judge in the settings its queue stays empty. */
export function judgeStage(scope: Construct, pipeline: Pipeline): StageConstruct {
  const stage = new StageConstruct(scope, "Judge", { pipeline, stage: "judge" });
  const { store, table, queues, secret } = pipeline;
  const answers = ["judgements/", "judge-cache/", "judge-batches/"];
  permit(
    stage.role,
    readObjects(store, "trajectories/", "scores/", "labels/", ...answers),
    writeObjects(store, "scores/", ...answers),
    // Of a trajectory that was forgotten while its batch was away nothing may stay.
    deleteObjects(store, "scores/", ...answers),
    listBucket(store),
    ...useCatalog(table),
    sendTo(queues.score.queue, queues.judge.queue),
    readSecret(secret),
  );
  return stage;
}
