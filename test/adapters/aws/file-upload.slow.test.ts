import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import {
  CreateBucketCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from "@aws-sdk/client-s3";
import { describe, expect, it, onTestFinished } from "vitest";
import { FileChangedError } from "../../../shared/adapters/aws/file-hashes.ts";
import { type FileUploadOptions, uploadFile } from "../../../shared/adapters/aws/file-upload.ts";
import { UploadNotes } from "../../../shared/adapters/local/upload-notes.ts";
import { memorySource } from "../../../shared/reading/byte-streams.ts";
import type { ByteSource } from "../../../shared/reading/source.ts";
import { temporaryFolder } from "../../factories/temporary.ts";
import { useEngine } from "../../local-stack/engine.ts";
import { startFaultProxy } from "../../local-stack/fault-proxy.ts";

const MIB = 1 << 20;

/** Has other bytes from the second look on. */
function changing(size: number): ByteSource {
  let looks = 0;
  return {
    name: "log",
    size,
    open: (range) => {
      looks += 1;
      return memorySource("log", new Uint8Array(size).fill(looks > 1 ? 1 : 0)).open(range);
    },
  };
}

describe("uploading a file, to ministack", () => {
  const engine = useEngine("ministack", async ({ clientConfig }) => {
    await new S3Client(clientConfig).send(new CreateBucketCommand({ Bucket: "drop" }));
  });

  async function start(source: ByteSource) {
    const proxy = await startFaultProxy({ target: engine.endpoint, seed: 1 });
    onTestFinished(() => proxy.stop());
    const notes = temporaryFolder("notes");
    const client = new S3Client({ ...engine.clientConfig, endpoint: proxy.endpoint });
    const options: FileUploadOptions = {
      client,
      bucket: "drop",
      key: "team/log",
      source,
      notes: new UploadNotes(notes),
      parallel: 2,
      dryRun: false,
      onBytes: () => undefined,
      tries: { tries: 3, delayMs: 5 },
    };
    const left = async () => {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: "drop" }));
      return { uploads: Uploads.length, notes: readdirSync(notes).length };
    };
    return { proxy, options, left, client };
  }

  it.each([100, 20 * MIB])(
    "refuses a file of %i bytes that changes meanwhile, and leaves nothing",
    async (size) => {
      const { options, left, client } = await start(changing(size));
      await expect(uploadFile(options)).rejects.toBeInstanceOf(FileChangedError);
      expect(await left()).toEqual({ uploads: 0, notes: 0 });
      expect((await client.send(new ListObjectsV2Command({ Bucket: "drop" }))).KeyCount).toBe(0);
    },
  );

  it("knows its upload again where the answer to its end was lost", async () => {
    const { proxy, options, left } = await start(memorySource("log", new Uint8Array(20 * MIB).fill(7)));
    proxy.setRules([{ operation: "CompleteMultipartUpload", fault: { kind: "lose-answer" }, times: 1 }]);
    expect(await uploadFile(options)).toBe("uploaded");
    expect(await uploadFile(options)).toBe("unchanged");
    expect(await left()).toEqual({ uploads: 0, notes: 0 });
  });

  it("begins anew where the unfinished upload was cleaned up meanwhile", async () => {
    const { options, left } = await start(memorySource("log", new Uint8Array(20 * MIB).fill(9)));
    const sha256 = createHash("sha256")
      .update(new Uint8Array(20 * MIB).fill(9))
      .digest("hex");
    const gone = { bucket: "drop", key: "team/log", sha256, partBytes: 16 * MIB, uploadId: "gone" };
    options.notes.keep(gone);
    expect(await uploadFile(options)).toBe("uploaded");
    expect(await left()).toEqual({ uploads: 0, notes: 0 });
  });

  it("goes on without a note where none can be written", async () => {
    const { options } = await start(memorySource("log", new Uint8Array(17 * MIB).fill(3)));
    const notes = new UploadNotes("/dev/null/notes");
    expect(await uploadFile({ ...options, key: "team/other", notes })).toBe("uploaded");
  });
});
