import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { DynamoCatalog } from "../../shared/adapters/aws/dynamo-catalog.ts";
import { DynamoLedger } from "../../shared/adapters/aws/dynamo-ledger.ts";
import { type DeployedResources, findDeployment } from "../../shared/adapters/aws/find-deployment.ts";
import { operatorClients } from "../../shared/adapters/aws/operator-clients.ts";
import { S3Store } from "../../shared/adapters/aws/s3-store.ts";
import { SqsDeadLetters } from "../../shared/adapters/aws/sqs-dead-letters.ts";
import { SqsQueue } from "../../shared/adapters/aws/sqs-queue.ts";
import { dropBucketName } from "../../shared/contracts/names.ts";
import { idOf, makeNew, makeScore } from "../factories/catalog-rows.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { useEngine } from "../local-stack/engine.ts";
import { ENGINE_ACCOUNT, makeSmallDeployment, makeStack } from "../local-stack/small-deployment.ts";
import { gymline } from "./program.ts";

const TOPIC = { Topic: { Type: "AWS::SNS::Topic", Properties: { TopicName: "stands-for-the-toolkit" } } };
const WELL = "well";
const SICK = "sick";
const OLD = "old";

describe("commands for a deployment, on ministack", () => {
  const engine = useEngine("ministack", async (started) => {
    await makeSmallDeployment(WELL, started);
    await makeSmallDeployment(SICK, started);
    await makeSmallDeployment(OLD, started, ["ScoreDlqUrl"]);
    await makeStack("CDKToolkit", started, {
      Resources: TOPIC,
      Outputs: { BootstrapVersion: { Value: "21" } },
    });
  });
  const run = (...args: readonly string[]) => gymline(args, { env: engine.running.env });

  async function inside<T>(
    name: string,
    work: (parts: {
      readonly deployment: DeployedResources;
      readonly clients: ReturnType<typeof operatorClients>;
    }) => Promise<T>,
  ): Promise<T> {
    // The SDK looks for credentials in the environment of the process.
    for (const [key, value] of Object.entries(engine.running.env)) vi.stubEnv(key, value);
    const clients = operatorClients(engine.running.env);
    try {
      return await work({ deployment: await findDeployment(name, await clients.cloudFormation()), clients });
    } finally {
      await clients.close();
      vi.unstubAllEnvs();
    }
  }

  const send = (name: string, place: "url" | "deadLetterUrl", bodies: readonly string[]): Promise<void> =>
    inside(name, async ({ deployment, clients }) => {
      await new SqsQueue({ client: await clients.sqs(), url: deployment.queues.ingest[place] }).send(bodies);
    });

  /** Takes all messages out of a queue. */
  const taken = (name: string, stage: "ingest" | "export"): Promise<readonly string[]> =>
    inside(name, async ({ deployment, clients }) => {
      const queue = new SqsDeadLetters({ client: await clients.sqs(), url: deployment.queues[stage].url });
      const bodies: string[] = [];
      for (;;) {
        const letters = await queue.receive(10);
        if (letters.length === 0) return bodies;
        bodies.push(...letters.map(({ body }) => body));
        await queue.remove(letters);
      }
    });

  it("show queues, catalog, datasets and reports of a deployment that is well", async () => {
    await inside(WELL, async ({ deployment, clients }) => {
      const client = await clients.dynamoDb();
      const clock = { now: () => Date.UTC(2026, 0, 1) };
      const catalog = new DynamoCatalog({ client, table: deployment.table, clock });
      for (const name of ["a", "b", "c"]) await catalog.add(makeNew(name));
      await catalog.setScore(idOf("a"), makeScore());
      const rows = [{ id: idOf("a"), split: "train" }];
      await catalog.registerDataset({ name: "sft", version: "abc", format: "sft-messages", rows });
      const state = { schema: "gymline.export-state.v1", consumed: 1, asked: 1 };
      await new DynamoLedger({ client, table: deployment.table }).put("export/sft", JSON.stringify(state), 0);
      const store = new S3Store({ client: await clients.s3(), bucket: deployment.storeBucket });
      await store.put("rejected/team/bad.json.report.json", new Uint8Array(1));
    });
    await send(WELL, "url", ["1", "2"]);
    const json = await run("status", "--deployment", WELL, "--json");
    expect([json.code, json.stderr]).toEqual([0, ""]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      schema: "gymline.status.v1",
      deployment: WELL,
      stages: [
        { stage: "ingest", waiting: 2, inFlight: 0, dead: 0, oldestSeconds: null },
        { stage: "score", waiting: 0 },
        { stage: "judge", waiting: 0 },
        { stage: "export", waiting: 0 },
        { stage: "sweep", waiting: 0 },
      ],
      scored: 1,
      unscored: { count: 2, more: false },
      datasets: [
        { name: "sft", versions: 1, latest: { version: "abc", rows: 1, announced: false }, consumed: 1 },
      ],
      rejected: { count: 1, more: false },
    });
    const text = await run("status", "--deployment", WELL);
    expect(text.stdout).toMatch(/ingest +2 +0 +– +0/);
    expect(text.stdout).toMatch(/sft +abc +1 .*not yet/);
    expect(text.stdout).toContain("1 trajectory scored, 2 waiting for a score");
  });

  it("exit with 2 where a stage gave up, and send its messages back by force", async () => {
    const event = (key: string) =>
      JSON.stringify({
        Records: [{ eventSource: "aws:s3", eventName: "ObjectCreated:Put", s3: { object: { key } } }],
      });
    const keys = Array.from({ length: 12 }, (_, index) => `team/a b/${index}.json`);
    await send(
      SICK,
      "deadLetterUrl",
      keys.map((key) => event(encodeURIComponent(key).replaceAll("%20", "+"))),
    );
    const status = await run("status", "--deployment", SICK);
    expect(status.code).toBe(2);
    expect(status.stdout).toContain("gymline redrive ingest");

    const dry = await run("redrive", "ingest", "--deployment", SICK, "--dry-run");
    expect([dry.code, dry.stdout.trim().split("\n").toSorted()]).toEqual([0, keys.toSorted()]);
    expect(dry.stderr).toContain("12 dead letters of 12 would become 12 messages");

    const first = await run("redrive", "ingest", "--deployment", SICK, "--limit", "5", "--json");
    expect(first.code).toBe(0);
    expect(JSON.parse(first.stdout)).toMatchObject({ found: 12, sent: 5, twice: [] });
    const rest = await run("redrive", "ingest", "--deployment", SICK);
    expect(rest.stderr).toContain("7 dead letters of 7 moved");

    const forced = keys.map((key) => ({ schema: "gymline.ingest.v1", key, force: true }));
    const moved = await taken(SICK, "ingest");
    expect(moved.toSorted()).toEqual(forced.map((body) => JSON.stringify(body)).toSorted());
    expect((await run("status", "--deployment", SICK)).code).toBe(0);
    const again = await run("redrive", "ingest", "--deployment", SICK);
    expect([again.code, again.stderr]).toEqual([0, "the dead-letter queue is empty\n"]);
  });

  it("ask for an export, with the deployment's settings or those of a file", async () => {
    const folder = temporaryFolder("cli");
    writeFileSync(join(folder, "gymline.json"), JSON.stringify({ dataset: { minReward: 0.5 } }));
    writeFileSync(join(folder, "gymline.deploy.json"), JSON.stringify({ name: WELL }));
    const options = { env: engine.running.env, cwd: folder };
    expect((await gymline(["request-export", "sft"], options)).code).toBe(0);
    expect((await gymline(["request-export", "best", "--config", "gymline.json"], options)).code).toBe(0);
    const bodies = (await taken(WELL, "export")).map((body) => JSON.parse(body));
    expect(bodies.toSorted((a, b) => a.dataset.localeCompare(b.dataset))).toMatchObject([
      { dataset: "best", cause: "request", request: { name: "best", minReward: 0.5, target: "trl" } },
      { schema: "gymline.export.v1", dataset: "sft", cause: "request" },
    ]);
    expect((await gymline(["request-export", "a/b"], options)).stderr).toContain("no name of a dataset");
  });

  it("check a deployment against the account, and warn of what the endpoint does not tell", async () => {
    const folder = temporaryFolder("cli");
    const check = async (
      config: object,
    ): Promise<{ readonly code: number | null; readonly found: Map<string, string> }> => {
      writeFileSync(join(folder, "gymline.deploy.json"), JSON.stringify(config));
      const { code, stdout, stderr } = await gymline(["deploy-check", "--json"], {
        env: engine.running.env,
        cwd: folder,
      });
      expect(stderr).toBe("");
      const { checks } = JSON.parse(stdout) as {
        readonly checks: readonly { readonly name: string; readonly verdict: string }[];
      };
      return { code, found: new Map(checks.map(({ name, verdict }) => [name, verdict])) };
    };
    const drop = (name: string) =>
      `bucket ${dropBucketName({ name, account: ENGINE_ACCOUNT, region: "us-east-1" })}`;

    const fresh = await check({ name: "fresh", alarms: { email: "ops@example.com" } });
    const sure = ["configuration", "account and region", "stack", "CDK bootstrap", drop("fresh"), "alarms"];
    expect([fresh.code, sure.map((name) => fresh.found.get(name))]).toEqual([0, sure.map(() => "ok")]);

    const again = await check({ name: WELL });
    expect([
      again.code,
      again.found.get("stack"),
      again.found.get(drop(WELL)),
      again.found.get("alarms"),
    ]).toEqual([0, "ok", "ok", "warn"]);

    const foreign = await check({ name: "fresh", account: "123456789012" });
    expect([foreign.code, foreign.found.get("account and region")]).toEqual([1, "fail"]);

    const wrong = await check({ name: "Fresh!" });
    expect([wrong.code, [...wrong.found]]).toEqual([1, [["configuration", "fail"]]]);
  });

  it("check the settings, mappings and profile that a deployment names, as the CDK app does", async () => {
    const folder = temporaryFolder("cli");
    writeFileSync(join(folder, "gymline.deploy.json"), JSON.stringify({ settings: "gymline.json" }));
    const check = async (settings: object) => {
      writeFileSync(join(folder, "gymline.json"), JSON.stringify(settings));
      return gymline(["deploy-check"], { env: engine.running.env, cwd: folder });
    };
    const absent = await check({ mappings: ["absent.json"] });
    expect([absent.code, absent.stdout]).toEqual([1, expect.stringContaining("absent.json cannot be read")]);
    const plugin = await check({ plugins: ["mine.mjs"] });
    expect([plugin.code, plugin.stdout]).toEqual([1, expect.stringContaining("cannot be deployed")]);
    expect((await check({ domain: "coding" })).stdout).toContain("✓ configuration");
  });

  it("say what to do where there is no deployment, or one of another version", async () => {
    const none = await run("status", "--deployment", "none");
    expect([none.code, none.stdout]).toEqual([1, ""]);
    expect(none.stderr).toContain('there is no deployment "none" here: no stack Gymline-none-Pipeline');
    const old = await run("status", "--deployment", OLD);
    expect(old.stderr).toContain("has no usable output ScoreDlqUrl");
    const stage = await run("redrive", "grade", "--deployment", WELL);
    expect(stage.stderr).toContain('there is no stage "grade"');
    const loop = await run("redrive", "loop", "--run", "agent/3f", "--deployment", WELL);
    expect(loop.stderr).toContain(`the deployment "${WELL}" has no loop`);
    const odd = await run("redrive", "score", "--run", "agent/3f", "--deployment", WELL);
    expect(odd.stderr).toContain("--run is of the stage loop");
    for (const { stderr } of [none, old, stage, loop, odd]) expect(stderr).not.toMatch(/^ {4}at /m);
  });

  it("say what to do where region, credentials or the network are missing", async () => {
    const bare = {
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_PROFILE: undefined,
      AWS_CONFIG_FILE: "/dev/null",
      AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
      AWS_EC2_METADATA_DISABLED: "true",
    };
    const cases = [
      [{ ...bare, AWS_REGION: undefined, AWS_DEFAULT_REGION: undefined }, "no AWS region is set"],
      [bare, "no AWS credentials were found"],
      [{ AWS_ENDPOINT_URL: "http://127.0.0.1:9", AWS_ENDPOINT_URL_S3: undefined }, "does not answer"],
    ] as const;
    for (const [env, expected] of cases) {
      const { code, stderr } = await gymline(["status"], { env: { ...engine.running.env, ...env } });
      expect([code, stderr]).toEqual([1, expect.stringContaining(expected)]);
      expect(stderr).not.toMatch(/^ {4}at /m);
    }
  });

  it("look after its datasets and forget as in a folder", async () => {
    const id = idOf("held");
    await inside(WELL, async ({ deployment: { table, storeBucket }, clients }) => {
      const catalog = new DynamoCatalog({ client: await clients.dynamoDb(), table, clock: { now: () => 1 } });
      await catalog.add(makeNew("held"));
      await catalog.registerDataset({
        ...{ name: "held", version: "1", format: "sft-messages" },
        rows: [{ id, split: "train" }],
      });
      const store = new S3Store({ client: await clients.s3(), bucket: storeBucket });
      await store.put("datasets/held/1/manifest.json", Buffer.from("{"));
    });
    const onWell = (...args: readonly string[]) => run(...args, "--deployment", WELL);
    const listed = async () => JSON.parse((await onWell("datasets", "list", "held", "--json")).stdout);
    expect(await listed()).toMatchObject({ name: "held", state: "damaged", forgotten: [] });
    const forgot = await onWell("forget", id.slice(0, 12));
    expect([forgot.code, forgot.stderr]).toEqual([0, ""]);
    expect(forgot.stdout).toMatch(/s3:\/\/\S+\/datasets\/held\/1\/ still holds it, and is marked/);
    expect(await listed()).toMatchObject({ forgotten: [id] });
    const verified = await onWell("datasets", "verify", "held/1");
    expect(verified.code).toBe(2);
    expect(verified.stdout).toContain("datasets/held/1/manifest.json  bad-manifest");
    expect(verified.stdout).toContain(`${id}  forgotten`);
    const traced = JSON.parse((await onWell("trace", id, "--json")).stdout);
    expect(traced.trajectories).toMatchObject([
      { id, forgotten: true, datasets: [{ name: "held", rows: "unknown" }] },
    ]);
    const unknown = await onWell("datasets", "show", "hold");
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining("nearest are held")]);
  });
});
