import { App, Tags } from "aws-cdk-lib";
import type { Deployment } from "../shared/contracts/deployment-files.ts";
import { BatchStack } from "./batch-stack.ts";
import type { JobImage } from "./constructs/job-definition.ts";
import type { Entries } from "./constructs/pipeline.ts";
import type { BuiltImage } from "./constructs/program-container.ts";
import type { LocalOptions } from "./local-options.ts";
import { PipelineStack } from "./pipeline-stack.ts";

export interface GymlineAppProps {
  readonly deployment: Deployment;
  readonly entries: Entries;
  readonly image: JobImage;
  readonly trainerImage: BuiltImage;
  /** Deploys to a local engine: the pipeline only, since none of them runs Batch. */
  readonly local?: LocalOptions | undefined;
  /** The app to build in; without it, a new one. */
  readonly app?: App;
}

/** All stacks of one deployment. Looks nothing up, so that it needs neither credentials nor a network. */
export function gymlineApp(props: GymlineAppProps): App {
  const { deployment, entries, image, trainerImage, local, app = new App() } = props;
  const { config } = deployment;
  const env = {
    ...(config.account === undefined ? {} : { account: config.account }),
    ...(config.region === undefined ? {} : { region: config.region }),
  };
  new PipelineStack(app, { deployment, entries, local, env });
  if (local === undefined) new BatchStack(app, { deployment, image, trainerImage, env });
  Tags.of(app).add("gymline", config.name);
  for (const [name, value] of Object.entries(config.tags)) Tags.of(app).add(name, value);
  return app;
}
