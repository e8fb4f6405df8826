import { join } from "node:path";
import process from "node:process";
import { App } from "aws-cdk-lib";
import { DeploymentConfigError } from "../shared/contracts/deployment-files.ts";
import { gymlineApp } from "./app.ts";
import { loadDeployment } from "./config.ts";
import { REPOSITORY } from "./constructs/function-bundle.ts";
import { localOptionsSchema } from "./local-options.ts";

/**
 * The CDK app, run by `cdk`. `-c config=<file>` or GYMLINE_DEPLOY_CONFIG name the configuration; `-c local=<JSON>`
 * holds what a local engine needs to be told (`LocalOptions`).
 */
function main(): void {
  const app = new App();
  const path: unknown = app.node.tryGetContext("config") ?? process.env["GYMLINE_DEPLOY_CONFIG"];
  const local: unknown = app.node.tryGetContext("local");
  const handler = (stage: string) => join(REPOSITORY, "functions", stage, "handler.ts");
  gymlineApp({
    app,
    deployment: loadDeployment({
      folder: process.cwd(),
      path: typeof path === "string" && path !== "" ? path : undefined,
    }),
    entries: {
      ingest: handler("ingest"),
      score: handler("score"),
      judge: handler("judge"),
      export: handler("export"),
      sweep: handler("sweep"),
      loop: handler("loop"),
    },
    image: {
      folder: REPOSITORY,
      dockerfile: "containers/gymline/Dockerfile",
      sandbox: "containers/sandbox",
    },
    trainerImage: { folder: join(REPOSITORY, "containers/trainer"), dockerfile: "Dockerfile" },
    local: typeof local === "string" ? localOptionsSchema.parse(JSON.parse(local)) : undefined,
  });
  app.synth();
}

try {
  main();
} catch (error) {
  if (!(error instanceof DeploymentConfigError)) throw error;
  process.stderr.write(`gymline: ${error.message}\n`);
  process.exitCode = 1;
}
