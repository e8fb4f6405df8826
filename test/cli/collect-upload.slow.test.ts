import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { clientEnvironment } from "../../infra/local/engines/client-environment.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { useEngine } from "../local-stack/engine.ts";
import { gymline } from "./program.ts";

describe("gymline collect into a bucket, with ministack for AWS", () => {
  const engine = useEngine("ministack");

  it("uploads each trajectory under its project, and what is missing when the run goes on", async () => {
    const cwd = temporaryFolder("collect");
    writeFileSync(join(cwd, "tasks.jsonl"), JSON.stringify({ id: "t", description: "Greet me" }));
    const turns = [{ calls: [{ tool: "respond", params: { message: "Hello" } }] }];
    writeFileSync(join(cwd, "turns.json"), JSON.stringify(turns));
    const s3 = new S3Client(engine.clientConfig);
    await s3.send(new CreateBucketCommand({ Bucket: "drop" }));
    const keys = async () => {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: "drop" }));
      return Contents.map(({ Key }) => Key);
    };
    const env = { ...clientEnvironment(engine.endpoint), XDG_CACHE_HOME: temporaryFolder("cache") };
    const begin = [
      "--env",
      "gymline/conversation",
      "--agent",
      "scripted:turns.json",
      "--tasks",
      "tasks.jsonl",
    ];
    const local = await gymline(["collect", ...begin, "--n", "2", "--run", "r", "--project", "team-a"], {
      cwd,
      env,
    });
    expect(local).toMatchObject({ code: 0 });
    expect(await keys()).toEqual([]);
    const missing = await gymline(["collect", "--resume", "r", "--bucket", "nowhere"], { cwd, env });
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining("there is no bucket nowhere") });
    for (const _ of [1, 2]) {
      const ended = await gymline(["collect", "--resume", "r", "--bucket", "drop", "--json"], { cwd, env });
      expect(ended).toMatchObject({ code: 0 });
      expect(JSON.parse(ended.stdout).uploaded).toEqual({ bucket: "drop", files: 2, rejections: [] });
      expect(await keys()).toEqual(["team-a/r/t.0.json", "team-a/r/t.1.json"]);
    }
  }, 240_000);
});
