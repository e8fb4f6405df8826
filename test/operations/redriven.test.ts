import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ingestOrders } from "../../shared/contracts/s3-event.ts";
import { redriven } from "../../shared/operations/redriven.ts";

const anyKey = fc.string({ minLength: 1, maxLength: 60, unit: "binary" }).filter((key) => key.isWellFormed());

function s3Event(keys: readonly string[], eventName = "ObjectCreated:Put"): string {
  // As S3 does it: percent-encoded, with `+` for a space.
  const encoded = (key: string) => encodeURIComponent(key).replaceAll("%20", "+");
  const Records = keys.map((key) => ({
    eventSource: "aws:s3",
    eventName,
    s3: { object: { key: encoded(key), size: 1 } },
  }));
  return JSON.stringify({ Records });
}

describe("what a dead letter becomes", () => {
  it("asks for every object of an S3 event by its key, each in a message of its own, by force", () => {
    fc.assert(
      fc.property(fc.array(anyKey, { minLength: 1, maxLength: 5 }), (keys) => {
        const { bodies, subjects } = redriven("ingest", s3Event(keys));
        expect(subjects).toEqual(keys);
        expect(bodies.map((body) => ingestOrders(body))).toEqual(keys.map((key) => [{ key, force: true }]));
      }),
    );
  });

  it("is by force, and redriven again the same, where the letter is a message of ours", () => {
    fc.assert(
      fc.property(anyKey, fc.boolean(), (key, force) => {
        const once = redriven("ingest", JSON.stringify({ schema: "gymline.ingest.v1", key, force }));
        expect(once.subjects).toEqual([key]);
        expect(once.bodies.map((body) => redriven("ingest", body))).toEqual([once]);
      }),
    );
  });

  it("is unchanged for every other stage, whatever it says", () => {
    const stage = fc.constantFrom("score", "judge", "export", "sweep", "loop");
    fc.assert(
      fc.property(stage, fc.oneof(fc.string(), fc.json()), (name, body) => {
        expect(redriven(name, body).bodies).toEqual([body]);
      }),
    );
  });

  it("is unchanged where nothing is asked for or nobody understands it, so that it is not lost", () => {
    const removal = s3Event(["a"], "ObjectRemoved:Delete");
    const test = JSON.stringify({ Service: "Amazon S3", Event: "s3:TestEvent" });
    for (const body of [removal, test, "{}", "no JSON", ""]) {
      expect(redriven("ingest", body)).toEqual({ bodies: [body], subjects: [] });
    }
  });

  it("names what the message is about", () => {
    const id = "a".repeat(64);
    const request = { name: "best" };
    const about = (stage: "score" | "judge" | "export" | "sweep" | "loop", body: object) =>
      redriven(stage, JSON.stringify(body)).subjects;
    expect(about("score", { schema: "gymline.score.v1", id })).toEqual([id]);
    const asked = { schema: "gymline.export.v1", dataset: "sft", cause: "request" };
    expect(about("export", asked)).toEqual(["sft"]);
    expect(about("export", { ...asked, request })).toEqual(["best"]);
    const judge = { schema: "gymline.judge.v1" };
    expect(about("judge", { ...judge, kind: "submit", id })).toEqual([id]);
    expect(about("judge", { ...judge, kind: "collect" })).toEqual(["collect"]);
    expect(about("sweep", { schema: "gymline.sweep.v1" })).toEqual(["sweep"]);
    const loop = { schema: "gymline.loop-message.v1" };
    expect(about("loop", { ...loop, kind: "sweep" })).toEqual(["sweep"]);
    expect(about("loop", { ...loop, kind: "redrive", model: "agent", run: "3f" })).toEqual(["agent/3f"]);
    const ended = { jobId: "j", status: "FAILED" };
    expect(about("loop", { "detail-type": "Batch Job State Change", detail: ended })).toEqual(["j"]);
    const manifest = { manifest: "m", format: "f", rows: 1 };
    const published = { schema: "gymline.dataset-published.v1", name: "sft", version: "v", ...manifest };
    expect(about("loop", { "detail-type": "dataset.published", detail: published })).toEqual(["sft/v"]);
    expect(about("score", { schema: "gymline.score.v1", id: "short" })).toEqual([]);
  });
});
