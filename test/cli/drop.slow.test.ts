import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CloudFormationClient, CreateStackCommand } from "@aws-sdk/client-cloudformation";
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from "@aws-sdk/client-s3";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { clientEnvironment } from "../../infra/local/engines/client-environment.ts";
import { pipelineStackName } from "../../shared/contracts/names.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { useEngine } from "../local-stack/engine.ts";
import { type FaultProxy, startFaultProxy } from "../local-stack/fault-proxy.ts";
import { gymline } from "./program.ts";

const MIB = 1 << 20;

const reportSchema = z.strictObject({
  schema: z.literal("gymline.drop.v1"),
  bucket: z.string(),
  dryRun: z.boolean(),
  uploaded: z.int(),
  resumed: z.int(),
  unchanged: z.int(),
  bytes: z.int(),
  files: z.array(z.strictObject({ path: z.string(), key: z.string(), bytes: z.int(), outcome: z.string() })),
  rejections: z.array(z.looseObject({ source: z.string(), code: z.string() })),
});

function makeFiles(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = temporaryFolder("drop");
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

describe("gymline drop, with ministack for AWS", () => {
  const engine = useEngine("ministack");
  let ordinal = 0;

  async function start() {
    ordinal += 1;
    const bucket = `drop-${ordinal}`;
    const s3 = new S3Client(engine.clientConfig);
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
    const proxy: FaultProxy = await startFaultProxy({ target: engine.endpoint, seed: ordinal });
    onTestFinished(() => proxy.stop());
    const env = { ...clientEnvironment(proxy.endpoint), XDG_CACHE_HOME: temporaryFolder("cache") };
    const run = (args: readonly string[], signal?: AbortSignal) =>
      gymline(["drop", ...args], { env, ...(signal === undefined ? {} : { signal }) });
    return {
      bucket,
      proxy,
      env,
      run,
      /** Exit code and report. */
      drop: async (...args: readonly string[]) => {
        const { code, stdout, stderr } = await run([...args, "--bucket", bucket, "--json"]);
        if (stdout === "") throw new Error(stderr);
        return { code, ...reportSchema.parse(JSON.parse(stdout)) };
      },
      keys: async () => {
        const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
        return Contents.map(({ Key }) => Key);
      },
      read: async (Key: string) => {
        const { Body, Metadata } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
        return { bytes: Buffer.from((await Body?.transformToByteArray()) ?? []), metadata: Metadata };
      },
      uploads: async () => {
        const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
        return Uploads.length;
      },
    };
  }

  it("uploads files and folders under the keys that run gives them, and leaves out what is there", async () => {
    const { drop, keys, read } = await start();
    const folder = makeFiles({
      "team-a/one.json": "1",
      "team-a/deep/two + 100%.jsonl": "22",
      "ä\u{1F600}/three": "333",
      empty: "",
      ".hidden": "x",
    });
    const first = await drop(folder);
    expect(first).toMatchObject({ code: 0, uploaded: 4, resumed: 0, unchanged: 0, bytes: 6, rejections: [] });
    const expected = ["empty", "team-a/deep/two + 100%.jsonl", "team-a/one.json", "ä\u{1F600}/three"];
    expect(await keys()).toEqual(expected);
    const { bytes, metadata } = await read("ä\u{1F600}/three");
    expect(bytes.toString()).toBe("333");
    expect(metadata).toEqual({ "gymline-sha256": createHash("sha256").update("333").digest("hex") });

    writeFileSync(join(folder, "team-a/one.json"), "2");
    const second = await drop(folder);
    expect(second).toMatchObject({ code: 0, uploaded: 1, unchanged: 3, bytes: 1 });
    expect((await read("team-a/one.json")).bytes.toString()).toBe("2");
  });

  it("puts everything under a project label, single files under their own names", async () => {
    const { drop, keys } = await start();
    const folder = makeFiles({ "logs/a.json": "1", "single.json": "2" });
    await drop(join(folder, "logs"), join(folder, "single.json"), "--project", "team b");
    expect(await keys()).toEqual(["team b/a.json", "team b/single.json"]);
  });

  it("says in a dry run what it would upload, and uploads nothing", async () => {
    const { drop, keys, run, bucket } = await start();
    const folder = makeFiles({ "a.json": "1", "b.json": "22" });
    expect(await drop(join(folder, "a.json"))).toMatchObject({ uploaded: 1 });
    expect(await drop(folder, "--dry-run")).toMatchObject({
      dryRun: true,
      uploaded: 1,
      unchanged: 1,
      bytes: 2,
    });
    expect(await keys()).toEqual(["a.json"]);
    const { code, stdout } = await run([folder, "--bucket", bucket, "--dry-run"]);
    expect(code).toBe(0);
    expect(stdout).toContain(`${folder}/b.json  →  s3://${bucket}/b.json`);
    expect(stdout).toContain("To drop   1 file (2 B)");
  });

  it("goes on with a large file where a killed run left it", async () => {
    const { drop, proxy, run, bucket, read, keys, uploads } = await start();
    const content = randomBytes(5 * 16 * MIB + 12_345);
    const folder = makeFiles({ "team/large.jsonl": content });
    const parts = () => proxy.requests.get("s3 UploadPart") ?? 0;
    proxy.setRules([{ operation: "UploadPart", fault: { kind: "delay", ms: 300 } }]);
    const kill = new AbortController();
    const killed = run([folder, "--bucket", bucket, "--concurrency", "1"], kill.signal);
    while (parts() < 4) await new Promise((resolve) => setTimeout(resolve, 20));
    kill.abort();
    expect((await killed).code).toBe(null);
    expect([await keys(), await uploads()]).toEqual([[], 1]);

    proxy.setRules([{ operation: "UploadPart", fault: { kind: "cut-request", afterBytes: 9 }, times: 1 }]);
    const before = parts();
    expect(await drop(folder)).toMatchObject({ code: 0, uploaded: 0, resumed: 1 });
    // Six parts, of which three were there; one was sent twice.
    expect(parts() - before).toBeLessThanOrEqual(4);
    expect((await read("team/large.jsonl")).bytes.equals(content)).toBe(true);
    expect(await uploads()).toBe(0);
    expect(await drop(folder)).toMatchObject({ code: 0, unchanged: 1 });
  });

  it("begins anew where the large file has changed since, and takes back the parts of before", async () => {
    const { drop, proxy, run, bucket, read, uploads } = await start();
    const content = randomBytes(40 * MIB);
    const folder = makeFiles({ "large.jsonl": content });
    proxy.setRules([
      { operation: "UploadPart", fault: { kind: "delay", ms: 0 }, times: 1 },
      { operation: "UploadPart", fault: { kind: "error", status: 403, code: "AccessDenied" } },
    ]);
    const refused = await run([folder, "--bucket", bucket, "--concurrency", "1"]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("large.jsonl cannot be uploaded; run again to go on");
    expect(refused.stderr).not.toMatch(/^ {4}at /m);
    expect(await uploads()).toBe(1);
    proxy.setRules([]);
    const longer = Buffer.concat([content, Buffer.from("more\n")]);
    writeFileSync(join(folder, "large.jsonl"), longer);
    expect(await drop(folder)).toMatchObject({ code: 0, uploaded: 1, resumed: 0 });
    expect((await read("large.jsonl")).bytes.equals(longer)).toBe(true);
    expect(await uploads()).toBe(0);
  });

  it("uploads through busy times and broken connections", async () => {
    const { drop, proxy, keys } = await start();
    const folder = makeFiles(
      Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`team/${index}.json`, `${index}`])),
    );
    proxy.setRules([
      {
        operation: "PutObject",
        fault: { kind: "error", status: 503, code: "SlowDown" },
        chance: 0.3,
        times: 20,
      },
      { operation: "PutObject", fault: { kind: "lose-answer" }, chance: 0.2, times: 10 },
      { operation: "HeadObject", fault: { kind: "cut-request", afterBytes: 0 }, chance: 0.2, times: 10 },
    ]);
    expect(await drop(folder)).toMatchObject({ code: 0, uploaded: 60 });
    expect(await keys()).toHaveLength(60);
    expect(proxy.struck.get("error")).toBeGreaterThan(5);
  });

  it("refuses what S3 cannot hold, uploads the rest and exits with 2", async () => {
    const { drop, keys } = await start();
    const long = Array.from({ length: 6 }, () => "ä".repeat(100)).join("/");
    const folder = makeFiles({ [`${long}/a.json`]: "1", "good.json": "2" });
    const report = await drop(folder);
    expect(report).toMatchObject({ code: 2, uploaded: 1 });
    expect(report.rejections).toMatchObject([{ source: `${folder}/${long}/a.json`, code: "key-too-long" }]);
    expect(await keys()).toEqual(["good.json"]);
  });

  it("finds the bucket of a deployment by the outputs of its stack", async () => {
    const { run, keys, bucket } = await start();
    const url = "http://127.0.0.1/queue";
    const outputs: Readonly<Record<string, string>> = {
      DropBucketName: bucket,
      StoreBucketName: "store",
      TableName: "table",
      EventBusName: "bus",
      ...Object.fromEntries(
        ["Ingest", "Score", "Judge", "Export", "Sweep"].flatMap((stage) => [
          [`${stage}QueueUrl`, url],
          [`${stage}DlqUrl`, url],
        ]),
      ),
    };
    const TemplateBody = JSON.stringify({
      Resources: { Queue: { Type: "AWS::SQS::Queue" } },
      Outputs: Object.fromEntries(Object.entries(outputs).map(([name, Value]) => [name, { Value }])),
    });
    const StackName = pipelineStackName("staging");
    await new CloudFormationClient(engine.clientConfig).send(
      new CreateStackCommand({ StackName, TemplateBody }),
    );
    const folder = makeFiles({ "a.json": "1" });
    const { code, stdout, stderr } = await run([folder, "--deployment", "staging"]);
    expect([code, stderr.trim()]).toEqual([0, ""]);
    expect(stdout).toContain(`Dropped   1 file (1 B), s3://${bucket}`);
    expect(await keys()).toEqual(["a.json"]);
  });

  it("says what to do where it cannot begin, without a stack", async () => {
    const { env, bucket, keys } = await start();
    const folder = makeFiles({ "a.json": "1", "b/a.json": "2" });
    const file = join(folder, "a.json");
    const nowhere = {
      ...env,
      AWS_ENDPOINT_URL: "http://127.0.0.1:9",
      AWS_ENDPOINT_URL_S3: "http://127.0.0.1:9",
    };
    const stranger = { ...env, AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, HOME: folder };
    const cases: readonly (readonly [
      string,
      readonly string[],
      typeof env | typeof stranger | typeof nowhere,
    ])[] = [
      ["there is no absent", ["absent"], env],
      ["there is no bucket not-there", [file, "--bucket", "not-there"], env],
      ["not both", [file, "--bucket", bucket, "--deployment", "x"], env],
      ["no stack Gymline-nobody-Pipeline", [file, "--deployment", "nobody"], env],
      ["--deployment", [file], env],
      ["would both be a.json", [folder, join(folder, "b/a.json")].slice(1).concat(file), env],
      ['"a/b" is no label', [file, "--project", "a/b"], env],
      ['".." is no label', [file, "--project", ".."], env],
      ["--concurrency takes", [file, "--concurrency", "0"], env],
      ["no AWS credentials were found", [file, "--deployment", "x"], stranger],
      ["check AWS_ENDPOINT_URL", [file, "--deployment", "x"], nowhere],
      ["check AWS_ENDPOINT_URL", [file, "--bucket", bucket], nowhere],
    ];
    for (const [expected, args, environment] of cases) {
      const { code, stdout, stderr } = await gymline(["drop", ...args], { env: environment });
      expect([args, code, stdout]).toEqual([args, 1, ""]);
      expect(stderr).toContain(expected);
      expect(stderr).not.toMatch(/^ {4}at /m);
    }
    expect(await keys()).toEqual([]);
  });
});
