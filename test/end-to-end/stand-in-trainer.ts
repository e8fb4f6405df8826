import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { awsClients } from "../../shared/adapters/aws/aws-clients.ts";
import { S3Store } from "../../shared/adapters/aws/s3-store.ts";
import { modelFilesKey } from "../../shared/contracts/model-files.ts";
import { trainingPlanSchema } from "../../shared/contracts/training-plan.ts";

/* Stands in for containers/trainer/job.py: trains nothing, and leaves a tiny model as that would leave its own. */

const [, bucket = "", key = ""] = /^s3:\/\/([^/]+)\/(.+)$/.exec(process.argv[2] ?? "") ?? [];
const clients = awsClients(process.env);
const store = new S3Store({ client: await clients.s3(), bucket });
const plan = trainingPlanSchema.parse(JSON.parse(Buffer.from(await store.read(key)).toString("utf8")));
const output = plan.output.slice(`s3://${bucket}/`.length);
const tiny = join(import.meta.dirname, "../fixtures/tiny-qwen2");
const record = {
  schema: "gymline.training.v1",
  algorithm: plan.algorithm,
  metrics: { loss: 1 },
  commit: null,
};
const files = new Map<string, Uint8Array>([
  ["model/config.json", readFileSync(join(tiny, "config.json"))],
  ["training.json", Buffer.from(JSON.stringify(record))],
]);
for (const entry of readdirSync(tiny, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || entry.name === "expected.json") continue;
  const path = join(entry.parentPath, entry.name);
  files.set(`onnx/${path.slice(tiny.length + 1)}`, readFileSync(path));
}
const listed = [];
for (const [path, bytes] of files) {
  await store.put(`${output}/${path}`, bytes);
  listed.push({ path, bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") });
}
const manifest = {
  schema: "gymline.model-files.v1",
  run: plan.run,
  algorithm: plan.algorithm,
  files: listed,
};
await store.put(modelFilesKey(output), Buffer.from(JSON.stringify(manifest)));
await clients.close();
