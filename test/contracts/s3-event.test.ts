import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IngestMessageError, ingestOrders } from "../../shared/contracts/s3-event.ts";

/** As S3 writes a key into an event. */
const encoded = (key: string): string => encodeURIComponent(key).replaceAll("%20", "+");

function s3Event(...records: readonly { readonly name?: string; readonly object: unknown }[]): string {
  const Records = records.map(({ name = "ObjectCreated:Put", object }) => ({
    eventVersion: "2.1",
    eventSource: "aws:s3",
    eventName: name,
    s3: { s3SchemaVersion: "1.0", bucket: { name: "drop" }, object },
  }));
  return JSON.stringify({ Records });
}

describe("a message in the ingest queue", () => {
  it("from S3 asks for the object, with what S3 says of it", () => {
    const object = { key: "team/a.json", eTag: "abc", size: 12, versionId: "v1", sequencer: "0055" };
    expect(ingestOrders(s3Event({ object }))).toEqual([{ ...object, force: false }]);
    expect(ingestOrders(s3Event({ object: { key: "team/a.json" } }))).toEqual([
      { key: "team/a.json", force: false },
    ]);
  });

  it.each([
    ["team/with+space.json", "team/with space.json"],
    ["team/a%2Bb.json", "team/a+b.json"],
    ["team/100%25.json", "team/100%.json"],
    ["%C3%A4/%F0%9F%98%80", "ä/\u{1F600}"],
    ["team%2Fa", "team/a"],
    ["dots...", "dots..."],
  ])("with the key %s means %s", (written, key) => {
    expect(ingestOrders(s3Event({ object: { key: written } }))).toEqual([{ key, force: false }]);
  });

  it("gives back any key that S3 encoded", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1 }), (key) => {
        expect(ingestOrders(s3Event({ object: { key: encoded(key) } }))).toEqual([{ key, force: false }]);
      }),
    );
  });

  it("asks for every object that was created, however it was uploaded, and for nothing else", () => {
    const names = [
      "ObjectCreated:Put",
      "s3:ObjectCreated:CompleteMultipartUpload",
      "ObjectRemoved:Delete",
      "ObjectRemoved:DeleteMarkerCreated",
      "ObjectTagging:Put",
      "ObjectCreated:Copy",
    ];
    const body = s3Event(...names.map((name, index) => ({ name, object: { key: `${index}` } })));
    expect(ingestOrders(body).map(({ key }) => key)).toEqual(["0", "1", "5"]);
    expect(ingestOrders(JSON.stringify({ Records: [] }))).toEqual([]);
  });

  it("that S3 sends as a test asks for nothing", () => {
    const body = { Service: "Amazon S3", Event: "s3:TestEvent", Time: "2026-01-01T00:00:00Z", Bucket: "b" };
    expect(ingestOrders(JSON.stringify(body))).toEqual([]);
  });

  it("of our own asks for its key as it stands there", () => {
    const body = (more: object) => JSON.stringify({ schema: "gymline.ingest.v1", ...more });
    expect(ingestOrders(body({ key: "a+b%20c" }))).toEqual([{ key: "a+b%20c", force: false }]);
    expect(ingestOrders(body({ key: "a", force: true }))).toEqual([{ key: "a", force: true }]);
  });

  it.each([
    ["no JSON", "secret-token{"],
    ["an empty text", ""],
    ["a number", "7"],
    ["another schema", '{"schema":"gymline.score.v1","id":"secret-token"}'],
    ["an unknown field", '{"schema":"gymline.ingest.v1","key":"a","secret-token":1}'],
    ["an empty key", '{"schema":"gymline.ingest.v1","key":""}'],
    ["a record of another service", '{"Records":[{"eventSource":"aws:sns"}]}'],
    ["a key that S3 never wrote", s3Event({ object: { key: "secret-token%zz" } })],
  ])("that is %s is refused with the remedy, and not quoted", (_, body) => {
    const call = () => ingestOrders(body);
    expect(call).toThrow(IngestMessageError);
    expect(call).toThrow(/send an S3 event/);
    expect(call).not.toThrow(/secret-token/);
  });
});
