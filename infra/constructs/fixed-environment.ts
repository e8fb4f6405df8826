import type { Construct } from "constructs";
import type { DeploymentConfig } from "../../shared/contracts/deployment-config.ts";
import type { FunctionEnvironment, ToldEnvironment } from "../../shared/contracts/function-environment.ts";
import { jobDefinitionName, jobQueueName } from "../../shared/contracts/names.ts";

/** The part of a program's environment that follows from the configuration alone. */
export function fixedEnvironment(config: DeploymentConfig) {
  return {
    GYMLINE_JOB_QUEUE: jobQueueName(config.name, "cpu"),
    GYMLINE_JOB_DEFINITION: jobDefinitionName(config.name),
    GYMLINE_FUNCTION_OBJECT_BYTES: String(config.functionObjectMiB * 1024 * 1024),
    GYMLINE_FUNCTION_EXPORT_BYTES: String(config.functionExportMiB * 1024 * 1024),
    GYMLINE_FUNCTION_EXPORT_ROWS: String(config.functionExportRows),
    GYMLINE_SCORE_ALONG: config.scoreAlong ? "true" : "false",
    GYMLINE_MAX_RECEIVES: String(config.maxReceives),
  } satisfies Partial<Record<keyof FunctionEnvironment, string>>;
}

/** `-c commit=<hash>` has manifests of datasets and cards of models name the commit that made them. */
export function commitVariable(scope: Construct) {
  const commit: unknown = scope.node.tryGetContext("commit");
  const variables = typeof commit === "string" && commit !== "" ? { GYMLINE_COMMIT: commit } : {};
  return variables satisfies Partial<Record<keyof ToldEnvironment, string>>;
}
