import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { awsClients } from "../../../shared/adapters/aws/aws-clients.ts";
import { judgePorts } from "../../../shared/adapters/aws/judge-station.ts";
import { awsStation, scorePorts, sweepPorts } from "../../../shared/adapters/aws/station.ts";
import type { JudgeConfigInput } from "../../../shared/judge/config.ts";
import { functionEnvironment } from "../../bench/function-environment.ts";
import { temporaryFolder } from "../../factories/temporary.ts";

const KEY = "sk-secret-value";
const RUN = { holder: "test", outOfTime: () => false, remainingMs: () => 300_000 };

/** A deployment whose secret holds this text, as its functions see it; `reads` are the secrets that were asked for. */
async function stationOf(options: { readonly judge?: JudgeConfigInput; readonly secret?: string }) {
  const { judge, secret = JSON.stringify({ ANTHROPIC_API_KEY: KEY, OPENAI_API_KEY: "" }) } = options;
  const reads: unknown[] = [];
  const server = createServer(async (request, response) => {
    reads.push(JSON.parse(await text(request)));
    response
      .setHeader("content-type", "application/x-amz-json-1.1")
      .end(JSON.stringify({ SecretString: secret }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const folder = temporaryFolder("station");
  const config = judge === undefined ? {} : { judge };
  writeFileSync(join(folder, "settings.json"), JSON.stringify({ schema: "gymline.settings.v1", config }));
  const variables = {
    ...functionEnvironment(folder),
    AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
  };
  const clients = awsClients(variables);
  onTestFinished(async () => {
    await clients.close();
    server.close();
  });
  return { station: await awsStation(variables, clients), reads };
}

describe("a deployment without a judge", () => {
  it("has no ports for one, asks for none, and reads no key", async () => {
    const { station, reads } = await stationOf({});
    expect(await judgePorts(station)).toBeUndefined();
    expect(await scorePorts(station)).not.toHaveProperty("judge");
    expect(await sweepPorts(station)).not.toHaveProperty("judgeQueue");
    expect(reads).toEqual([]);
  });
});

describe("a deployment with a judge", () => {
  it("sends scored trajectories on, and its sweep looks after batches", async () => {
    const { station } = await stationOf({ judge: { gate: { kind: "band", low: 0.2 } } });
    expect((await scorePorts(station)).judge?.gate).toMatchObject({ kind: "band", low: 0.2 });
    expect(await sweepPorts(station)).toHaveProperty("judgeQueue");
  });

  it("reads the key when it is first needed, and once for many runs", async () => {
    const { station, reads } = await stationOf({ judge: { budgets: { usdPerRun: 1, usdPerDay: 7 } } });
    const portsOf = await judgePorts(station);
    expect(reads).toEqual([]);
    const [one, two] = [await portsOf?.(RUN), await portsOf?.(RUN)];
    expect(reads).toEqual([{ SecretId: "secret" }]);
    expect(one?.model).toMatchObject({ provider: "anthropic", model: "claude-haiku-5-5" });
    // Only the day has a limit that means anything where a day's work takes many runs.
    expect(one?.settings.config.budgets).toEqual({ usdPerRun: null, usdPerDay: 7 });
    expect(one?.run).toBe(two?.run);
    expect(one?.newId()).toMatch(/^[a-z0-9]{8,32}$/);
    expect(one?.newId()).not.toBe(two?.newId());
  });

  it("says which secret lacks the key, and reads it again once it is filled in", async () => {
    const { station, reads } = await stationOf({
      judge: { provider: "openai-compatible", model: "m", prices: { m: PRICE } },
    });
    const portsOf = await judgePorts(station);
    for (let time = 0; time < 2; time += 1) {
      await expect(portsOf?.(RUN)).rejects.toThrow(/secret secret .*OPENAI_API_KEY/s);
    }
    expect(reads).toHaveLength(2);
  });

  it.each(["", "sk-secret-value", '{"ANTHROPIC_API_KEY": 5, "x": "sk-secret-value"}'])(
    "never quotes a secret that is no list of keys",
    async (secret) => {
      const { station } = await stationOf({ judge: {}, secret });
      const failed = await (await judgePorts(station))?.(RUN).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (!(failed instanceof Error)) throw new TypeError("it took the secret");
      expect([failed.name, failed.cause]).toEqual(["ModelSecretError", undefined]);
      expect(`${failed.message} ${failed.stack}`).not.toContain(KEY);
    },
  );
});

const PRICE = { input: 1, cacheWrite: 1, cacheRead: 1, output: 1 };
