import type { Construct } from "constructs";
import { STAGES } from "../../shared/contracts/deployment-config.ts";
import { permit } from "../constructs/permit.ts";
import type { Pipeline } from "../constructs/pipeline.ts";
import { StageConstruct } from "../constructs/stage.ts";
import { LOOK_AT_JOBS, listBucket, publishTo, readObjects, sendTo, useCatalog } from "./rights.ts";

/** Reconciles store, catalog, queues and jobs. It finds what is amiss and sends it to the stage that mends it. */
export function sweepStage(scope: Construct, pipeline: Pipeline): StageConstruct {
  const stage = new StageConstruct(scope, "Sweep", { pipeline, stage: "sweep" });
  const { drop, store, table, bus, queues } = pipeline;
  permit(
    stage.role,
    listBucket(drop),
    listBucket(store),
    // Manifests, to announce again what was published and perhaps not heard.
    readObjects(store, "datasets/"),
    ...useCatalog(table),
    sendTo(...STAGES.map((name) => queues[name].queue)),
    publishTo(bus),
    LOOK_AT_JOBS,
  );
  return stage;
}
