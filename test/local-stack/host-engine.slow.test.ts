import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { awsEndpoint } from "../../infra/local/engines/aws-endpoint.ts";
import type { Engine } from "../../infra/local/engines/engine.ts";
import { engineHealth, runningEngine, stopEngine } from "../../infra/local/engines/engine-home.ts";
import { createHostEngine } from "../../infra/local/engines/host-engine.ts";
import { freePort } from "../../infra/local/engines/ports.ts";
import { runningProcesses } from "../../infra/local/engines/process-table.ts";
import { temporaryFolder } from "../factories/temporary.ts";

const program = join(import.meta.dirname, "programs.ts");

function engineOf(home: string, settings: { program?: string; port?: number; startWithinMs?: number } = {}) {
  const engine: Engine = createHostEngine({
    name: "ministack",
    home,
    port: settings.port,
    healthPath: "/health",
    startWithinMs: settings.startWithinMs ?? 20_000,
    prepare: async () => (place) => ({
      command: process.execPath,
      args: [program, settings.program ?? "server", `${place.port}`],
      env: {},
    }),
  });
  onTestFinished(() => engine.stop());
  return engine;
}

const groupOf = async (leader: number | undefined) =>
  (await runningProcesses()).filter((row) => row.group === leader);

const logOf = (home: string) => readFileSync(join(home, "engine.log"), "utf8");

/** The process that wrote the first line of the log. */
const firstPid = (home: string) => Number(/begins as (\d+)/.exec(logOf(home))?.[1]);

it("ends an engine with its children, though one of them ignores the request, and removes its data", async () => {
  const home = temporaryFolder();
  const engine = engineOf(home);
  const { pid, endpoint } = await engine.start();
  expect(await engine.health()).toBe("healthy");
  await expect.poll(() => logOf(home)).toContain("deaf");
  expect(await groupOf(pid)).toHaveLength(2);

  await engine.stop();

  expect(await groupOf(pid)).toEqual([]);
  await expect(fetch(endpoint)).rejects.toThrow();
  expect(readdirSync(home)).toEqual(["engine.log"]);
  expect(await engine.health()).toBe("stopped");
});

it("is found and ended by its home alone, as another process would", async () => {
  const home = temporaryFolder();
  const started = await engineOf(home).start();

  expect(await runningEngine(home)).toEqual(started);
  await stopEngine(home);

  expect(await runningEngine(home)).toBeUndefined();
  expect(await groupOf(started.pid)).toEqual([]);
});

it("ends the children of an engine that died", async () => {
  const home = temporaryFolder();
  const engine = engineOf(home);
  const { pid } = await engine.start();
  process.kill(pid ?? 0, "SIGKILL");
  await expect.poll(() => engine.health()).toBe("stopped");
  expect(await groupOf(pid)).toHaveLength(1);

  await engine.stop();

  expect(await groupOf(pid)).toEqual([]);
});

it("starts where a run that was killed left its state", async () => {
  const home = temporaryFolder();
  const engine = engineOf(home);
  const first = await engine.start();
  process.kill(-(first.pid ?? 0), "SIGKILL");
  await expect.poll(() => engine.health()).toBe("stopped");

  const second = await engine.start();

  expect(second.pid).not.toBe(first.pid);
  expect(await engine.health()).toBe("healthy");
});

it("leaves alone a process that has the number of an engine that ended", async () => {
  const home = temporaryFolder();
  const stranger = spawn(process.execPath, [program, "silent"], { detached: true, stdio: "ignore" });
  onTestFinished(() => void stranger.kill("SIGKILL"));
  await once(stranger, "spawn");
  const state = {
    schema: "gymline.engine-state.v1",
    name: "ministack",
    endpoint: "http://127.0.0.1:1",
    healthUrl: "http://127.0.0.1:1/health",
    group: { pid: stranger.pid, started: "at another time" },
  };
  writeFileSync(join(home, "engine.json"), JSON.stringify(state));
  const engine = engineOf(home);
  expect(await engine.health()).toBe("stopped");

  await engine.start();

  expect(await groupOf(stranger.pid)).toHaveLength(1);
});

it("starts where the state file is damaged", async () => {
  const home = temporaryFolder();
  writeFileSync(join(home, "engine.json"), '{"schema":');

  await expect(engineOf(home).start()).resolves.toMatchObject({ name: "ministack" });
});

it("refuses to start twice in one home", async () => {
  const home = temporaryFolder();
  const { endpoint } = await engineOf(home).start();

  await expect(engineOf(home).start()).rejects.toMatchObject({
    name: "EngineRunningError",
    message: expect.stringContaining(endpoint),
  });
});

it("tells the end of the log where the engine ends at once", async () => {
  const home = temporaryFolder();

  await expect(engineOf(home, { program: "nonsense" }).start()).rejects.toMatchObject({
    name: "EngineStartError",
    message: expect.stringMatching(/its process ended[\s\S]*there is no such program/),
  });
  expect(existsSync(join(home, "engine.json"))).toBe(false);
});

it("gives up on an engine that does not answer in time, and ends it", async () => {
  const home = temporaryFolder();

  const start = engineOf(home, { program: "silent", startWithinMs: 1_500 }).start();

  await expect(start).rejects.toThrow("did not answer within 1.5 s");
  expect(await groupOf(firstPid(home))).toEqual([]);
});

it("names the port that something else listens on", async () => {
  const port = await freePort();
  const server = createServer().listen(port, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");

  await expect(engineOf(temporaryFolder(), { port }).start()).rejects.toThrow(`port ${port}`);
});

it("uses an endpoint that somebody else runs, and only forgets it when it is stopped", async () => {
  const { endpoint } = await engineOf(temporaryFolder()).start();
  const home = temporaryFolder();
  const engine = awsEndpoint({ url: `${endpoint}/`, home });

  await expect(engine.start()).resolves.toMatchObject({ endpoint, pid: undefined });
  expect(await engineHealth(home)).toBe("healthy");
  await engine.stop();

  expect(await engine.health()).toBe("stopped");
  expect((await fetch(endpoint)).ok).toBe(true);
});

it.each([
  ["http://127.0.0.1:1", "nothing answers"],
  ["localhost", "is no URL"],
])("says what is wrong with the endpoint %s", async (url, reason) => {
  const start = awsEndpoint({ url, home: temporaryFolder() }).start();

  await expect(start).rejects.toMatchObject({
    name: "EngineUnavailableError",
    message: expect.stringContaining(reason),
  });
});
