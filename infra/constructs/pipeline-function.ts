import { join } from "node:path";
import { Stage as Assembly, Duration } from "aws-cdk-lib";
import { type IRole, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import {
  ApplicationLogLevel,
  Architecture,
  Code,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  SystemLogLevel,
  Tracing,
} from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import type { StageName } from "../../shared/contracts/deployment-config.ts";
import { functionName, METRICS_NAMESPACE } from "../../shared/contracts/names.ts";
import { acceptWildcards } from "./accept-rule.ts";
import { commitVariable } from "./fixed-environment.ts";
import { bundleFunction } from "./function-bundle.ts";
import { logGroup } from "./log-group.ts";
import { output, title } from "./output.ts";
import { permit, permitKey } from "./permit.ts";
import type { Pipeline } from "./pipeline.ts";

/** The function of a stage with a role that can write its own log and nothing else yet. */
export class PipelineFunction extends Construct {
  readonly function: LambdaFunction;
  readonly role: IRole;

  constructor(scope: Construct, id: string, { pipeline, stage }: { pipeline: Pipeline; stage: StageName }) {
    super(scope, id);
    const { config, key, local } = pipeline;
    const name = functionName(config.name, stage);
    const logs = logGroup(this, { name: `/aws/lambda/${name}`, config, key });
    this.role = new Role(this, "Role", {
      assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
      description: `Function of the stage ${stage}`,
    });
    permit(this.role, {
      actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
      resources: [logs.logGroupArn],
    });
    permitKey(this.role, key);
    const { memoryMiB, timeoutSeconds, reservedConcurrency } = config.functions[stage];
    this.function = new LambdaFunction(this, "Function", {
      functionName: name,
      description: `Gymline ${config.name}: ${stage}`,
      runtime: Runtime.NODEJS_24_X,
      architecture: architectureOf(local?.architecture ?? config.architecture),
      handler: "index.handler",
      code: this.code(pipeline, stage),
      role: this.role,
      memorySize: memoryMiB,
      timeout: Duration.seconds(timeoutSeconds),
      ...(reservedConcurrency === undefined ? {} : { reservedConcurrentExecutions: reservedConcurrency }),
      environment: { ...environmentOf(pipeline, name), ...commitVariable(this) },
      ...(key === undefined ? {} : { environmentEncryption: key }),
      logGroup: logs,
      loggingFormat: LoggingFormat.JSON,
      applicationLogLevelV2: ApplicationLogLevel.INFO,
      systemLogLevelV2: SystemLogLevel.INFO,
      tracing: Tracing.ACTIVE,
    });
    acceptWildcards(this.role, {
      resources: ["*"],
      reason: "Traces of X-Ray are no resources of their own.",
    });
    output(this, `${title(stage)}FunctionName`, this.function.functionName);
  }

  private code({ entries, settings, critic, config, local }: Pipeline, stage: StageName): Code {
    const folder = join(Assembly.of(this)?.outdir ?? "cdk.out", "bundles", stage);
    const processor = (local?.architecture ?? config.architecture) === "arm64" ? "arm64" : "x64";
    const onnx = critic && stage === "score" ? ({ onnx: processor } as const) : {};
    // Evaluation sets and tokenizers may have many megabytes, which the others would read at each start for nothing.
    const { loops, ...common } = settings;
    const loop = loops === undefined || stage !== "loop" ? {} : { loops };
    const own = stage === "export" ? common : { ...common, files: [], ...loop };
    bundleFunction({ entry: entries[stage], folder, settings: JSON.stringify(own), ...onnx });
    return Code.fromAsset(folder);
  }
}

function architectureOf(name: "arm64" | "x86_64"): Architecture {
  return name === "arm64" ? Architecture.ARM_64 : Architecture.X86_64;
}

function environmentOf({ environment, local }: Pipeline, name: string): Record<string, string> {
  return {
    ...environment,
    NODE_OPTIONS: "--enable-source-maps",
    POWERTOOLS_SERVICE_NAME: name,
    POWERTOOLS_METRICS_NAMESPACE: METRICS_NAMESPACE,
    ...(local?.batchEndpoint === undefined ? {} : { AWS_ENDPOINT_URL_BATCH: local.batchEndpoint }),
    ...local?.environment,
  };
}
