import { App, CfnOutput, Stack } from "aws-cdk-lib";
import { ProbePipeline } from "./pipeline.ts";
import { addSurroundings } from "./surroundings.ts";

// An app with every kind of resource that the program's own stacks use, to see what an engine makes of it.
const app = new App();
const stack = new Stack(app, "EngineProbe", { env: { account: "000000000000", region: "us-east-1" } });
const pipeline = new ProbePipeline(stack, "Pipeline");
const names = { ...pipeline.names, ...addSurroundings(stack, pipeline) };
for (const [name, value] of Object.entries(names)) {
  new CfnOutput(stack, `${name}Output`, { value }).overrideLogicalId(name);
}
