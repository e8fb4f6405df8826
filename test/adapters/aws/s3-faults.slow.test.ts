import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import * as fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { s3Fingerprint, s3Source } from "../../../shared/adapters/aws/s3-source.ts";
import { S3Store } from "../../../shared/adapters/aws/s3-store.ts";
import {
  SourceBrokenError,
  SourceChangedError,
  SourceGoneError,
} from "../../../shared/reading/source-error.ts";
import { useEngine } from "../../local-stack/engine.ts";
import { type FaultRule, startFaultProxy } from "../../local-stack/fault-proxy.ts";

const MIB = 1 << 20;
const tries = { tries: 4, delayMs: 5 };
const SLOW_DOWN = { kind: "error", status: 503, code: "SlowDown" } as const;

function patterned(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 1) bytes[at] = (at * 31 + (at >> 8)) & 0xff;
  return bytes;
}

async function collected(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

describe("S3 on ministack behind a proxy that makes faults", () => {
  const engine = useEngine("ministack", async ({ clientConfig }) => {
    await new S3Client(clientConfig).send(new CreateBucketCommand({ Bucket: "drop" }));
  });

  async function start(rules: readonly FaultRule[] = []) {
    const proxy = await startFaultProxy({ target: engine.endpoint, seed: 1, rules });
    onTestFinished(() => proxy.stop());
    const client = new S3Client({ ...engine.clientConfig, endpoint: proxy.endpoint, maxAttempts: 4 });
    const store = new S3Store({ client, bucket: "drop", tries });
    const source = (key: string, ahead = 0) => s3Source({ client, bucket: "drop", key, tries, ahead });
    const put = (Key: string, Body: Uint8Array) =>
      new S3Client(engine.clientConfig).send(new PutObjectCommand({ Bucket: "drop", Key, Body }));
    return { proxy, client, store, source, put };
  }

  describe("as a source", () => {
    it.each([
      "team/with space.json",
      "a+b",
      "100%.json",
      "%41%2F",
      "ä/\u{1F600}/\uFF5E",
      "dots...",
      "//double",
      "folder/",
      "?query=1&x#y",
      "quote\"'<&>",
      "tab\tand\u0001",
      "back\\slash",
    ])("reads the object under the key %j", async (key) => {
      const { source, put } = await start();
      await put(key, Buffer.from(`content of ${key}`));
      const opened = await source(key);
      expect(opened.name).toBe(key);
      expect((await collected(opened.open())).toString()).toBe(`content of ${key}`);
    });

    it("gives any range of the bytes, and none where the range is empty", async () => {
      const { source, put } = await start();
      const bytes = patterned(100_000);
      await put("ranges", bytes);
      const opened = await source("ranges");
      expect(opened.size).toBe(100_000);
      await fc.assert(
        fc.asyncProperty(fc.nat(100_000), fc.nat(100_000), async (one, two) => {
          const range = { start: Math.min(one, two), end: Math.max(one, two) };
          expect((await collected(opened.open(range))).equals(bytes.subarray(range.start, range.end))).toBe(
            true,
          );
        }),
        { numRuns: 30 },
      );
      await put("empty", new Uint8Array(0));
      expect(await collected((await source("empty")).open())).toHaveLength(0);
    });

    it.each([1, 999, 1000, 1001, 5000])(
      "gives the same bytes where the first %i of 1000 came along with the head",
      async (ahead) => {
        const { proxy, source, put } = await start();
        const bytes = patterned(1000);
        await put("ahead", bytes);
        const opened = await source("ahead", ahead);
        expect(opened.state).toEqual((await source("ahead")).state);
        const before = proxy.requests.get("s3 GetObject") ?? 0;
        for (let start = 0; start <= 1000; start += 250) {
          for (let end = start; end <= 1000; end += 250) {
            const range = { start, end };
            expect((await collected(opened.open(range))).equals(bytes.subarray(start, end))).toBe(true);
          }
        }
        expect((await collected(opened.open())).equals(bytes)).toBe(true);
        if (ahead >= 1000) expect(proxy.requests.get("s3 GetObject")).toBe(before);
        await put("ahead", patterned(1000).reverse());
        const again = collected(opened.open());
        if (ahead >= 1000) expect((await again).equals(bytes)).toBe(true);
        else await expect(again).rejects.toBeInstanceOf(SourceChangedError);
      },
    );

    it("reads the beginning again where the connection breaks, and knows an empty or missing object", async () => {
      const { proxy, source, put } = await start();
      await put("begun", patterned(MIB));
      proxy.setRules([{ operation: "GetObject", fault: { kind: "cut-answer", afterBytes: 1000 }, times: 2 }]);
      const opened = await source("begun", MIB);
      expect((await collected(opened.open())).equals(Buffer.from(patterned(MIB)))).toBe(true);
      expect(proxy.struck.get("cut-answer")).toBe(2);
      await put("nothing", new Uint8Array(0));
      const empty = await source("nothing", MIB);
      expect(empty.state).toEqual((await source("nothing")).state);
      expect(await collected(empty.open())).toHaveLength(0);
      await expect(source("never", MIB)).rejects.toBeInstanceOf(SourceGoneError);
    });

    it("goes on at the byte where a connection broke", async () => {
      const { proxy, source, put } = await start();
      const bytes = patterned(5 * MIB);
      await put("large", bytes);
      const opened = await source("large");
      // More breaks than tries in a row: what a try brings in lets the next one count anew.
      const fault = { kind: "cut-answer", afterBytes: MIB + 70_001 } as const;
      proxy.setRules([{ operation: "GetObject", fault }]);
      expect((await collected(opened.open())).equals(bytes)).toBe(true);
      expect(proxy.struck.get("cut-answer")).toBe(5);
      const range = { start: 3, end: 4 * MIB };
      expect((await collected(opened.open(range))).equals(bytes.subarray(3, 4 * MIB))).toBe(true);
    });

    it("gives up when try after try brings nothing", async () => {
      const { proxy, source, put } = await start();
      await put("stuck", patterned(MIB));
      const opened = await source("stuck");
      proxy.setRules([{ operation: "GetObject", fault: { kind: "cut-answer", afterBytes: 1000 } }]);
      await expect(collected(opened.open())).rejects.toBeInstanceOf(SourceBrokenError);
      expect(proxy.struck.get("cut-answer")).toBe(4);
    });

    it("waits while S3 is busy", async () => {
      const { proxy, source, put } = await start([{ fault: SLOW_DOWN, times: 2 }]);
      await put("busy", patterned(1000));
      expect(await collected((await source("busy")).open())).toHaveLength(1000);
      expect(proxy.struck.get("error")).toBe(2);
    });

    it("tells an object that is gone from one that was overwritten, before and while it is read", async () => {
      const { client, proxy, source, put } = await start();
      await expect(source("never")).rejects.toBeInstanceOf(SourceGoneError);
      await put("x", patterned(3 * MIB));
      const first = await source("x");
      await put("x", patterned(10));
      await expect(collected(first.open())).rejects.toBeInstanceOf(SourceChangedError);
      const second = await source("x");
      expect(s3Fingerprint(second.state)).not.toBe(s3Fingerprint(first.state));
      await client.send(new DeleteObjectCommand({ Bucket: "drop", Key: "x" }));
      await expect(collected(second.open())).rejects.toBeInstanceOf(SourceGoneError);

      await put("y", patterned(3 * MIB));
      const third = await source("y");
      proxy.setRules([{ operation: "GetObject", fault: { kind: "cut-answer", afterBytes: MIB }, times: 1 }]);
      const reading = third.open()[Symbol.asyncIterator]();
      await reading.next();
      await put("y", patterned(3 * MIB).reverse());
      const rest = collected({ [Symbol.asyncIterator]: () => reading });
      await expect(rest).rejects.toBeInstanceOf(SourceChangedError);
    });
  });

  describe("as a store", () => {
    it("knows its own write again where the answer to it was lost", async () => {
      const { proxy, store } = await start();
      const lost = { operation: "PutObject", fault: { kind: "lose-answer" }, times: 1 } as const;
      proxy.setRules([lost]);
      expect(await store.putIfAbsent("once/a", patterned(10))).toBe("created");
      proxy.setRules([lost]);
      expect(await store.putIfAbsent("once/a", patterned(10))).toBe("exists");
      expect(proxy.struck.get("lose-answer")).toBe(2);
    });

    it("lets one of many racing writers win, though answers are lost", async () => {
      const { proxy, store } = await start();
      for (let round = 0; round < 10; round += 1) {
        proxy.setRules([{ operation: "PutObject", fault: { kind: "lose-answer" }, chance: 0.5, times: 3 }]);
        const outcomes = await Promise.all(
          Array.from({ length: 8 }, (_, index) =>
            store.putIfAbsent(`race/${round}`, new Uint8Array(1).fill(index)),
          ),
        );
        const winners = outcomes.flatMap((outcome, index) => (outcome === "created" ? [index] : []));
        expect(winners).toEqual([(await store.read(`race/${round}`))[0]]);
      }
      expect(proxy.struck.get("lose-answer")).toBeGreaterThan(15);
    });

    it("tries a conditional write again that met another one under way", async () => {
      const conflict = { kind: "error", status: 409, code: "ConditionalRequestConflict" } as const;
      const { proxy, store } = await start([{ operation: "PutObject", fault: conflict, times: 2 }]);
      expect(await store.putIfAbsent("conflict/a", patterned(10))).toBe("created");
      expect(proxy.struck.get("error")).toBe(2);
      proxy.setRules([{ operation: "PutObject", fault: conflict }]);
      await expect(store.putIfAbsent("conflict/b", patterned(10))).rejects.toMatchObject({
        name: "ConditionalRequestConflict",
      });
    });

    it("reads an object whole, though the connection breaks", async () => {
      const { proxy, store } = await start();
      await store.put("broken", patterned(MIB));
      proxy.setRules([{ operation: "GetObject", fault: { kind: "cut-answer", afterBytes: 1000 }, times: 3 }]);
      expect(Buffer.from(await store.read("broken")).equals(patterned(MIB))).toBe(true);
      expect(proxy.struck.get("cut-answer")).toBe(3);
    });

    it("writes a large object through busy times, broken connections and lost answers", async () => {
      const { proxy, store } = await start([
        { operation: "UploadPart", fault: { kind: "cut-request", afterBytes: 100_000 }, times: 2 },
        { operation: "UploadPart", fault: SLOW_DOWN, times: 2 },
        { operation: "CreateMultipartUpload", fault: SLOW_DOWN, times: 1 },
        { operation: "CompleteMultipartUpload", fault: { kind: "lose-answer" }, times: 1 },
      ]);
      const writer = await store.writer("large/a");
      const piece = patterned(7 * MIB);
      for (let index = 0; index < 4; index += 1) await writer.write(piece);
      await writer.finish();
      expect(Buffer.from(await store.read("large/a")).equals(Buffer.concat(Array(4).fill(piece)))).toBe(true);
      expect([...proxy.struck]).toEqual(
        expect.arrayContaining([
          ["cut-request", 2],
          ["error", 3],
          ["lose-answer", 1],
        ]),
      );
    });

    it("tells of a part that cannot be written, and leaves nothing after an abort", async () => {
      const { proxy, store, client } = await start();
      proxy.setRules([
        { operation: "UploadPart", fault: { kind: "error", status: 500, code: "InternalError" } },
      ]);
      const writer = await store.writer("large/b");
      const work = async () => {
        for (let index = 0; index < 9; index += 1) await writer.write(new Uint8Array(5 * MIB));
        await writer.finish();
      };
      await expect(work()).rejects.toMatchObject({ name: "InternalError" });
      await writer.abort();
      expect(proxy.requests.get("s3 AbortMultipartUpload")).toBe(1);
      expect(await new S3Store({ client, bucket: "drop" }).exists("large/b")).toBe(false);
    });
  });
});
