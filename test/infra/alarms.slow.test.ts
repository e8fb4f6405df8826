import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { STAGES } from "../../shared/contracts/deployment-config.ts";
import { batchTemplate, ofType, pipelineTemplate } from "./synth.ts";

const template = pipelineTemplate({ config: { alarms: { email: "team@example.com" } } });
const alarms = ofType(template, "AWS::CloudWatch::Alarm");

/** Anchors of a Markdown file's headings, as GitHub makes them. */
function anchorsOf(file: string): readonly string[] {
  const text = readFileSync(join(import.meta.dirname, "../..", file), "utf8");
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^a-z0-9 _-]/g, "")
      .replaceAll(" ", "-"),
  );
}

const anchors = anchorsOf("docs/OPERATIONS.md");

/** Runbooks that a text links to. */
function linksIn(text: string): readonly string[] {
  return [...text.matchAll(/docs\/OPERATIONS\.md#([a-z-]+)/g)].map(([, anchor = ""]) => anchor);
}

describe("alarms", () => {
  it.each(STAGES)("watch dead letters, age, errors, throttles and duration of the stage %s", (stage) => {
    const names = alarms.map(({ Properties }) => Properties["AlarmName"]);
    const kinds = ["dead-letters", "oldest-message", "errors", "throttles", "duration"];
    expect(names).toEqual(expect.arrayContaining(kinds.map((kind) => `gymline-${stage}-${kind}`)));
  });

  it.each([
    ["budget", "JudgeBudgetReached"],
    ["faults", "JudgeFaults"],
  ])("watch the judge's %s by what its function counts", (kind, counted) => {
    const alarm = alarms.find(({ Properties }) => Properties["AlarmName"] === `gymline-judge-${kind}`);
    expect(alarm?.Properties).toMatchObject({ MetricName: counted, Threshold: 0 });
    const handler = readFileSync(join(import.meta.dirname, "../../functions/judge/handler.ts"), "utf8");
    expect(handler).toContain(`${counted}:`);
  });

  it("are on plain metrics: a label would turn them into metric math, which local engines refuse", () => {
    for (const { Properties } of alarms) expect(Properties).not.toHaveProperty("Metrics");
  });

  it("each link a runbook that exists", () => {
    for (const { Properties } of alarms) {
      const links = linksIn(String(Properties["AlarmDescription"]));
      expect(links).toHaveLength(1);
      expect(anchors).toContain(links[0]);
    }
  });

  it("tell the topic when they rise and when they fall, and the topic lets them", () => {
    const [topic] = ofType(template, "AWS::SNS::Topic").filter(
      ({ Properties }) => Properties["TopicName"] === "gymline-alarms",
    );
    for (const { Properties } of alarms) {
      expect(Properties).toMatchObject({
        AlarmActions: [{ Ref: topic?.id }],
        OKActions: [{ Ref: topic?.id }],
        TreatMissingData: "notBreaching",
      });
    }
    const policy = ofType(template, "AWS::SNS::TopicPolicy").find((found) =>
      JSON.stringify(found.Properties["Topics"]).includes(`"${topic?.id}"`),
    );
    expect(JSON.stringify(policy)).toContain("cloudwatch.amazonaws.com");
  });

  it("reach the address of the configuration", () => {
    expect(ofType(template, "AWS::SNS::Subscription").map(({ Properties }) => Properties)).toMatchObject([
      { Protocol: "email", Endpoint: "team@example.com" },
    ]);
  });

  it("come for a dataset whose rows fail their checks, with a runbook, and not for one that is empty", () => {
    const rule = ofType(template, "AWS::Events::Rule")
      .map((found) => JSON.stringify(found.Properties))
      .find((text) => text.includes("export.failed"));
    expect(rule).toContain('"detail":{"reason":["checks"]}');
    expect(linksIn(rule ?? "")).toEqual(["failed-exports"]);
    expect(anchors).toContain("failed-exports");
  });

  it("come for a failed job of the queues that the Batch stack makes, with a runbook", () => {
    const rule = JSON.stringify(
      ofType(template, "AWS::Events::Rule").filter((found) => JSON.stringify(found).includes("aws.batch")),
    );
    const queues = ofType(batchTemplate(), "AWS::Batch::JobQueue").map(
      ({ Properties }) => Properties["JobQueueName"],
    );
    expect(queues).toHaveLength(2);
    // Each failed child of an array of jobs would be told of besides; children have an index.
    expect(rule).toContain('"arrayProperties":{"index":[{"exists":false}]}');
    for (const queue of queues) expect(rule).toContain(`:job-queue/${queue}"`);
    for (const link of linksIn(rule)) expect(anchors).toContain(link);
  });
});
