import {
  CreateBucketCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { S3Store } from "../../../shared/adapters/aws/s3-store.ts";
import { InvalidKeyError } from "../../../shared/ports/object-key.ts";
import { useEngine } from "../../local-stack/engine.ts";
import { objectStoreContract } from "../../ports/object-store.contract.ts";

describe("on ministack", () => {
  const engine = useEngine("ministack");
  let ordinal = 0;

  async function makeBucket(options: { readonly versioned: boolean }): Promise<{
    readonly client: S3Client;
    readonly bucket: string;
  }> {
    const client = new S3Client(engine.clientConfig);
    ordinal += 1;
    const bucket = `store-${ordinal}`;
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    if (options.versioned) {
      const VersioningConfiguration = { Status: "Enabled" } as const;
      await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }));
    }
    return { client, bucket };
  }

  const places = [
    { title: "S3Store", versioned: false, prefix: "" },
    { title: "S3Store under a prefix of a bucket with versions", versioned: true, prefix: "Ünder + a%20/" },
  ];
  for (const { title, versioned, prefix } of places) {
    objectStoreContract(title, async () => {
      const { client, bucket } = await makeBucket({ versioned });
      await client.send(
        new PutObjectCommand({ Bucket: bucket, Key: `${prefix}folder/`, Body: new Uint8Array(0) }),
      );
      if (prefix !== "")
        await client.send(new PutObjectCommand({ Bucket: bucket, Key: "beside", Body: new Uint8Array(0) }));
      const other = new S3Client(engine.clientConfig);
      return {
        store: new S3Store({ client, bucket, prefix }),
        other: new S3Store({ client: other, bucket, prefix }),
      };
    });
  }

  it("erases every version and delete marker of a key, over several pages", async () => {
    const { client, bucket } = await makeBucket({ versioned: true });
    const store = new S3Store({ client, bucket });
    const versionsOf = async (prefix: string): Promise<number> => {
      const page = await client.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: prefix }));
      return (page.Versions?.length ?? 0) + (page.DeleteMarkers?.length ?? 0);
    };
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        for (let turn = 0; turn < 70; turn += 1) await store.put("a/x", new Uint8Array(1));
      }),
    );
    await store.remove("a/x");
    await store.remove("a/x");
    await store.put("a/x", new Uint8Array(1));
    await store.put("a/xy", new Uint8Array(1));
    await store.put("a/xy", new Uint8Array(1));
    expect(await versionsOf("a/")).toBe(1000);
    await store.erase("a/x");
    expect(await versionsOf("a/")).toBe(2);
    expect(await store.exists("a/xy")).toBe(true);
  });

  it("keeps what was removed as a version, as a store with versions does", async () => {
    const { client, bucket } = await makeBucket({ versioned: true });
    const store = new S3Store({ client, bucket });
    await store.put("a", new Uint8Array(3));
    await store.remove("a");
    const page = await client.send(new ListObjectVersionsCommand({ Bucket: bucket }));
    expect([page.Versions?.length, page.DeleteMarkers?.length]).toEqual([1, 1]);
  });

  it("writes a large object in parts, and leaves none of them when it is aborted", async () => {
    const { client, bucket } = await makeBucket({ versioned: false });
    const store = new S3Store({ client, bucket });
    const pieces = Array.from({ length: 43 }, (_, index) => new Uint8Array(1_000_003).fill(index));
    const write = async (key: string) => {
      const writer = await store.writer(key);
      const reused = new Uint8Array(1_000_003);
      for (const piece of pieces) {
        // What was written must not be read again from the caller's buffer.
        reused.set(piece);
        await writer.write(reused);
      }
      return writer;
    };
    const uploads = async () => {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
      return Uploads.map(({ Key }) => Key);
    };
    const whole = await write("whole");
    const half = await write("half");
    expect(await uploads()).toEqual(expect.arrayContaining(["whole", "half"]));
    expect(await store.exists("whole")).toBe(false);
    await whole.finish();
    await half.abort();
    await half.abort();
    expect(await uploads()).toEqual([]);
    expect(await store.exists("half")).toBe(false);
    expect(Buffer.concat(pieces).equals(await store.read("whole"))).toBe(true);
    await expect(half.write(new Uint8Array(1))).rejects.toThrow("is aborted");
  });

  it("lists more than one page", async () => {
    const { client, bucket } = await makeBucket({ versioned: false });
    const store = new S3Store({ client, bucket });
    const names = Array.from({ length: 2100 }, (_, index) => `p/${String(index).padStart(5, "0")}`);
    for (let at = 0; at < names.length; at += 50) {
      await Promise.all(names.slice(at, at + 50).map((name) => store.put(name, new Uint8Array(1))));
    }
    const listed: string[] = [];
    for await (const { key } of store.list("p/")) listed.push(key);
    expect(listed).toEqual(names);
  });

  it("refuses a key that is too long only with the prefix", async () => {
    const { client, bucket } = await makeBucket({ versioned: false });
    const key = Array.from({ length: 5 }, () => "x".repeat(200)).join("/");
    await new S3Store({ client, bucket }).put(key, new Uint8Array(1));
    const prefixed = new S3Store({ client, bucket, prefix: "a-long-enough-prefix/" });
    await expect(prefixed.put(key, new Uint8Array(1))).rejects.toBeInstanceOf(InvalidKeyError);
  });

  it("says that a bucket is missing, which is not the same as a missing object", async () => {
    const { client } = await makeBucket({ versioned: false });
    const store = new S3Store({ client, bucket: "there-is-none" });
    await expect(store.read("a")).rejects.toMatchObject({ name: "NoSuchBucket" });
    await expect(store.put("a", new Uint8Array(1))).rejects.toMatchObject({ name: "NoSuchBucket" });
  });
});
