import { describe, expect, it } from "vitest";
import { z } from "zod";
import { batchTemplate, ofType, pipelineTemplate, resourcesOf, WITH_LOOP } from "./synth.ts";

const templates = {
  pipeline: pipelineTemplate(),
  "pipeline with a key": pipelineTemplate({ config: { kms: true } }),
  "pipeline with a loop": pipelineTemplate({ config: { ...WITH_LOOP, kms: true } }),
  batch: batchTemplate(),
  "batch with a key": batchTemplate({ config: { kms: true } }),
  "batch with training": batchTemplate({ config: { kms: true, batch: { training: {} } } }),
  "batch with rollouts": batchTemplate({
    config: { kms: true, batch: { rollouts: { gpu: { model: "m" } } } },
  }),
};

const statementSchema = z.looseObject({
  Effect: z.string(),
  Action: z.union([z.string(), z.array(z.string())]).transform((found) => [found].flat()),
  Resource: z.unknown().optional(),
  Principal: z.unknown().optional(),
  Condition: z.unknown().optional(),
});
const documentSchema = z.object({ Statement: z.array(statementSchema) });

/** Statements of all policies of roles. */
function roleStatements(template: (typeof templates)["pipeline"]) {
  return ofType(template, "AWS::IAM::Policy").flatMap(({ id, Properties }) =>
    documentSchema.parse(Properties["PolicyDocument"]).Statement.map((statement) => ({ id, ...statement })),
  );
}

/** Actions that know no resources, by the service authorization reference of AWS. */
const WITHOUT_RESOURCES = [
  "batch:DescribeJobs",
  "batch:ListJobs",
  "ec2:DescribeTags",
  "ecr:GetAuthorizationToken",
  "ecs:DiscoverPollEndpoint",
  "xray:PutTelemetryRecords",
  "xray:PutTraceSegments",
];

describe.each(Object.entries(templates))("the rights of roles in the stack %s", (_name, template) => {
  it("are exact actions", () => {
    const wild = roleStatements(template).flatMap(({ Action }) =>
      Action.filter((name) => name.includes("*")),
    );
    expect(wild).toEqual([]);
  });

  it("are for named resources, save for actions that know none", () => {
    const everywhere = roleStatements(template).filter(({ Resource }) => [Resource].flat().includes("*"));
    const actions = new Set(everywhere.flatMap(({ Action }) => Action));
    expect([...actions].filter((action) => !WITHOUT_RESOURCES.includes(action))).toEqual([]);
  });

  it("come from no policy of AWS's own", () => {
    for (const { Properties } of ofType(template, "AWS::IAM::Role")) {
      expect(Properties).not.toHaveProperty("ManagedPolicyArns");
    }
  });
});

describe("the rights of each stage", () => {
  /** Actions by service of a stage's function. */
  function actionsOf(stage: string): Readonly<Partial<Record<string, readonly string[]>>> {
    const actions = roleStatements(templates.pipeline)
      .filter(({ id }) => id.startsWith(`${stage}FunctionRole`))
      .flatMap(({ Action }) => Action);
    return Object.groupBy([...new Set(actions)].toSorted(), (action) => action.split(":")[0] ?? "");
  }

  it("let only ingest and export submit jobs", () => {
    const submits = ["Ingest", "Score", "Judge", "Export", "Sweep"].filter((stage) =>
      actionsOf(stage)["batch"]?.includes("batch:SubmitJob"),
    );
    expect(submits).toEqual(["Ingest", "Export"]);
  });

  it("let a stage delete only what it writes itself, and never a trajectory", () => {
    const deletes = roleStatements(templates.pipeline)
      .filter(({ Action }) => Action.includes("s3:DeleteObject"))
      .flatMap(({ id, Resource }) => {
        const prefixes = [...JSON.stringify(Resource).matchAll(/"\/([a-z-]+)\/\*"/g)];
        return prefixes.map(([, prefix]) => ({ stage: id.replace(/FunctionRole.*/, ""), prefix }));
      });
    const byStage = Object.entries(Object.groupBy(deletes, ({ stage }) => stage));
    const prefixes = byStage.map(([stage, list = []]) => [stage, list.map(({ prefix }) => prefix)]);
    expect(Object.fromEntries(prefixes)).toEqual({
      Ingest: ["rejected", "scores"],
      Score: ["scores"],
      Judge: ["judge-batches", "judge-cache", "judgements"],
      Export: ["failed-exports"],
    });
  });

  it("let the judge neither write scores nor submit jobs: it asks for a score", () => {
    const { s3 = [], sqs = [], batch = [] } = actionsOf("Judge");
    expect([s3.includes("s3:PutObject"), sqs.includes("sqs:SendMessage"), batch]).toEqual([true, true, []]);
    const puts = roleStatements(templates.pipeline).filter(
      ({ id, Action }) => id.startsWith("JudgeFunctionRole") && Action.includes("s3:PutObject"),
    );
    expect(JSON.stringify(puts)).not.toContain("/scores/");
  });

  it("let the sweep write no object", () => {
    expect(actionsOf("Sweep")["s3"]).toEqual(["s3:GetObject", "s3:ListBucket"]);
  });

  it("let only the judge and rollouts read the keys of model providers, and no other secret", () => {
    const [secret] = ofType(templates.pipeline, "AWS::SecretsManager::Secret");
    const { "batch with rollouts": batch, ...others } = templates;
    const reading = roleStatements(batch).filter(({ Action }) =>
      Action.some((action) => action.startsWith("secretsmanager:")),
    );
    expect(reading).toHaveLength(1);
    expect(reading[0]?.id).toMatch(/^RolloutsJobRole/);
    expect(reading[0]?.Action).toEqual(["secretsmanager:GetSecretValue"]);
    expect(JSON.stringify(reading[0]?.Resource)).toContain(":secret:gymline/model-provider-??????");
    for (const template of Object.values(others)) {
      const secrets = roleStatements(template).filter(({ Action }) =>
        Action.some((action) => action.startsWith("secretsmanager:")),
      );
      for (const { id, Action, Resource } of secrets) {
        expect(id).toMatch(/^JudgeFunctionRole/);
        expect([Action, Resource]).toEqual([["secretsmanager:GetSecretValue"], { Ref: secret?.id }]);
      }
      expect(secrets).toHaveLength(ofType(template, "AWS::SecretsManager::Secret").length);
    }
  });
});

describe("the drop bucket's notification", () => {
  const template = templates["pipeline with a key"];
  const drop = ofType(template, "AWS::S3::Bucket").find(
    ({ Properties }) => "NotificationConfiguration" in Properties,
  );

  it("is allowed by the queue before the bucket is made", () => {
    const [policy] = ofType(template, "AWS::SQS::QueuePolicy").filter((found) =>
      JSON.stringify(found).includes("s3.amazonaws.com"),
    );
    expect([drop?.DependsOn].flat()).toContain(policy?.id);
  });

  it("is allowed from the bucket's name in this account alone, without a reference that would make a circle", () => {
    const statements = ofType(template, "AWS::SQS::QueuePolicy").flatMap(
      ({ Properties }) => documentSchema.parse(Properties["PolicyDocument"]).Statement,
    );
    const [statement] = statements.filter(({ Principal }) =>
      JSON.stringify(Principal).includes("s3.amazonaws.com"),
    );
    expect(statement?.Condition).toMatchObject({
      StringEquals: { "aws:SourceAccount": { Ref: "AWS::AccountId" } },
      ArnLike: { "aws:SourceArn": expect.anything() },
    });
    const text = JSON.stringify(statement);
    expect(text).toContain(":s3:::gymline-drop-");
    expect(text).not.toContain(drop?.id);
  });

  it("is allowed to use the queue's key, like events and alarms that go to encrypted topics", () => {
    const [key] = ofType(template, "AWS::KMS::Key");
    const text = JSON.stringify(key?.Properties["KeyPolicy"]);
    for (const service of ["s3", "events", "cloudwatch"]) expect(text).toContain(`${service}.amazonaws.com`);
  });
});

describe("buckets, queues, topics and table", () => {
  it.each(["AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::SNS::Topic"])(
    "of the type %s take TLS only",
    (type) => {
      const policies = {
        "AWS::S3::Bucket": "BucketPolicy",
        "AWS::SQS::Queue": "QueuePolicy",
        "AWS::SNS::Topic": "TopicPolicy",
      };
      const template = templates.pipeline;
      const guarded = Object.values(resourcesOf(template))
        .filter(({ Type }) => Object.values(policies).some((policy) => Type.endsWith(policy)))
        .filter((policy) => JSON.stringify(policy).includes('"aws:SecureTransport":"false"'))
        .map((policy) => JSON.stringify(policy));
      for (const { id } of ofType(template, type)) {
        expect(guarded.some((policy) => policy.includes(`"${id}"`))).toBe(true);
      }
    },
  );

  it("let the public in nowhere", () => {
    for (const { Properties } of ofType(templates.pipeline, "AWS::S3::Bucket")) {
      expect(Properties["PublicAccessBlockConfiguration"]).toEqual({
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      });
    }
  });

  it("are encrypted with the deployment's key where it has one", () => {
    const template = templates["pipeline with a key"];
    const [key] = ofType(template, "AWS::KMS::Key");
    const types = [
      "AWS::S3::Bucket",
      "AWS::SQS::Queue",
      "AWS::SNS::Topic",
      "AWS::DynamoDB::Table",
      "AWS::Logs::LogGroup",
    ];
    for (const type of types) {
      for (const { Properties } of ofType(template, type)) {
        expect(JSON.stringify(Properties)).toContain(`"${key?.id}"`);
      }
    }
  });

  it("stay when the stack goes, unless the configuration says otherwise", () => {
    const kept = (options: Parameters<typeof pipelineTemplate>[0]) =>
      ["AWS::S3::Bucket", "AWS::DynamoDB::Table"].flatMap((type) =>
        ofType(pipelineTemplate(options), type).map(({ DeletionPolicy }) => DeletionPolicy),
      );
    expect(kept({})).toEqual(["Retain", "Retain", "Retain"]);
    expect(kept({ config: { onDelete: "destroy" } })).toEqual(["Delete", "Delete", "Delete"]);
  });
});
