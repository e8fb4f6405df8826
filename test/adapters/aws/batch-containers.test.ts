import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import { BatchClient } from "@aws-sdk/client-batch";
import { describe, expect, it, onTestFinished } from "vitest";
import { BatchJobs } from "../../../shared/adapters/aws/batch-jobs.ts";

/** Takes any job and remembers how it was submitted. */
async function batch() {
  const bodies: unknown[] = [];
  const server = createServer(async (request, response) => {
    bodies.push(await json(request));
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ jobId: "one", jobName: "n" }));
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const client = new BatchClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  onTestFinished(() => {
    client.destroy();
    server.close();
  });
  return { client, bodies };
}

const REQUEST = { name: "n", command: ["job", "rollout"], environment: { A: "b" }, arraySize: 3 };
const OVERRIDE = { command: ["job", "rollout"], environment: [{ name: "A", value: "b" }] };

describe("a job that is submitted to Batch", () => {
  it("is told its command as the one container that it has", async () => {
    const { client, bodies } = await batch();
    await new BatchJobs({ client, queue: "q", definition: "d" }).submit(REQUEST);
    expect(bodies).toEqual([
      expect.objectContaining({ jobQueue: "q", arrayProperties: { size: 3 }, containerOverrides: OVERRIDE }),
    ]);
    expect(bodies[0]).not.toHaveProperty("ecsPropertiesOverride");
  });

  it("is told which of its containers the command is for where it has several", async () => {
    const { client, bodies } = await batch();
    await new BatchJobs({ client, queue: "q", definition: "d", container: "agent" }).submit(REQUEST);
    expect(bodies).toEqual([
      expect.objectContaining({
        ecsPropertiesOverride: { taskProperties: [{ containers: [{ name: "agent", ...OVERRIDE }] }] },
      }),
    ]);
    expect(bodies[0]).not.toHaveProperty("containerOverrides");
  });
});
