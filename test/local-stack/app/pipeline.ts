import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duration, RemovalPolicy } from "aws-cdk-lib";
import { AttributeType, Billing, TableV2 } from "aws-cdk-lib/aws-dynamodb";
import { ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Code, Function as LambdaFunction, Runtime, Tracing } from "aws-cdk-lib/aws-lambda";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { BlockPublicAccess, Bucket, BucketEncryption, CfnBucket } from "aws-cdk-lib/aws-s3";
import { type DeadLetterQueue, Queue, RedrivePermission } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { buildSync } from "esbuild";

/** Drop bucket → queue → function → table and store, with a queue for what fails. */
export class ProbePipeline extends Construct {
  readonly names: Readonly<Record<string, string>>;
  readonly letters: Queue;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const dead = new Queue(this, "Dead", {
      enforceSSL: true,
      redriveAllowPolicy: { redrivePermission: RedrivePermission.ALLOW_ALL },
    });
    this.letters = new Queue(this, "Letters", {
      enforceSSL: true,
      visibilityTimeout: Duration.seconds(4),
      deadLetterQueue: { queue: dead, maxReceiveCount: 2 } satisfies DeadLetterQueue,
    });
    const drop = this.#bucket("Drop");
    const store = this.#bucket("Store");
    notify(drop, this.letters);
    const table = this.#table();
    const code = Code.fromAsset(bundle());
    const pipeline = this.#function("Take", {
      code,
      handler: "index.handler",
      env: { STORE: store.bucketName, TABLE: table.tableName },
    });
    pipeline.addEventSource(
      new SqsEventSource(this.letters, { batchSize: 5, reportBatchItemFailures: true, maxConcurrency: 2 }),
    );
    drop.grantRead(pipeline);
    store.grantPut(pipeline);
    table.grantWriteData(pipeline);
    const probe = this.#function("Probe", { code, handler: "index.probe", env: { MARK: "as deployed" } });
    this.names = {
      DropBucketName: drop.bucketName,
      StoreBucketName: store.bucketName,
      TableName: table.tableName,
      DeadUrl: dead.queueUrl,
      ProbeName: probe.functionName,
    };
  }

  #bucket(id: string): Bucket {
    return new Bucket(this, id, {
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      versioned: true,
      lifecycleRules: [
        { expiration: Duration.days(90), abortIncompleteMultipartUploadAfter: Duration.days(1) },
      ],
    });
  }

  #table(): TableV2 {
    const text = (name: string) => ({ name, type: AttributeType.STRING });
    return new TableV2(this, "Table", {
      partitionKey: text("pk"),
      sortKey: text("sk"),
      billing: Billing.onDemand(),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      contributorInsightsSpecification: { enabled: true },
      timeToLiveAttribute: "expires",
      removalPolicy: RemovalPolicy.DESTROY,
      globalSecondaryIndexes: [1, 2, 3].map((index) => ({
        indexName: `by-${index}`,
        partitionKey: text(`pk${index}`),
        sortKey: text(`sk${index}`),
      })),
    });
  }

  #function(
    id: string,
    { code, handler, env }: { code: Code; handler: string; env: Record<string, string> },
  ): LambdaFunction {
    return new LambdaFunction(this, id, {
      runtime: Runtime.NODEJS_24_X,
      code,
      handler,
      environment: env,
      timeout: Duration.seconds(3),
      memorySize: 256,
      tracing: Tracing.ACTIVE,
      logGroup: new LogGroup(this, `${id}Log`, { retention: RetentionDays.ONE_WEEK }),
    });
  }
}

/** By the bucket's own property: CDK's `addEventNotification` needs a Python function at deploy time. */
function notify(bucket: Bucket, queue: Queue): void {
  queue.grantSendMessages(new ServicePrincipal("s3.amazonaws.com"));
  const resource = bucket.node.defaultChild;
  if (!(resource instanceof CfnBucket)) throw new Error("a bucket without a bucket");
  resource.notificationConfiguration = {
    queueConfigurations: [{ event: "s3:ObjectCreated:*", queue: queue.queueArn }],
  };
  // S3 tries the queue when it is told of it.
  const policy = queue.node.tryFindChild("Policy");
  if (policy !== undefined) resource.node.addDependency(policy);
}

function bundle(): string {
  const folder = mkdtempSync(join(process.env["CDK_OUTDIR"] ?? tmpdir(), "bundle-"));
  buildSync({
    entryPoints: [join(import.meta.dirname, "function.ts")],
    outfile: join(folder, "index.mjs"),
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node24",
    // What the AWS SDK bundles in calls require().
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
  });
  return folder;
}
