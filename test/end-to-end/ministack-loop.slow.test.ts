import { mkdtempDisposableSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import { CreateQueueCommand, GetQueueAttributesCommand, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { PythonEnvironment } from "../../infra/local/python-environment.ts";
import { systemClock } from "../../shared/adapters/local/system-clock.ts";
import { evaluationSchema } from "../../shared/contracts/evaluation.ts";
import { evaluationKey, loopRunKey } from "../../shared/contracts/keys.ts";
import { type LoopRun, loopRunSchema } from "../../shared/contracts/loop.ts";
import type { EnvTask } from "../../shared/env/task.ts";
import { readLoop } from "../../shared/loop/loop-record.ts";
import { readLine } from "../../shared/registry/model-line.ts";
import { promoteModel, registerModel } from "../../shared/registry/registry.ts";
import { readStored } from "../../shared/stages/stored-json.ts";
import { gymline } from "../cli/program.ts";
import { householdSolution, householdTasks } from "../demo/household-tasks.ts";
import { useEngine } from "../local-stack/engine.ts";
import { trainerEnvironment } from "../trainer/venv.ts";
import { deployPipeline, type TestDeployment, until } from "./deployment.ts";

/** Errands that name the room: one call solves each. */
const DIRECT = householdTasks(1).filter(({ difficulty }) => difficulty === "direct");
/** That the logs solve, that models are evaluated on, and that a new champion attempts. */
const SEEN = DIRECT.slice(0, 80);
const HELD_OUT = DIRECT.slice(80, 104);
const PRACTISED = DIRECT.slice(104, 120);

const lines = (tasks: readonly EnvTask[]): string =>
  tasks.map((task) => `${JSON.stringify(task)}\n`).join("");

const ROLLOUTS = {
  env: { id: "gymline/household-v1" },
  backend: "process",
  limits: { maxSteps: 4 },
  agent: { temperature: 0, answerTokens: 24, system: "" },
} as const;

/** Logs of an agent that knows the answers, and a model with random weights whose tokenizer is made of them. */
async function beginnings(cwd: string, python: string): Promise<void> {
  const write = (name: string, text: string): void => writeFileSync(join(cwd, name), text);
  write("seen.jsonl", lines(SEEN));
  const solved = Object.fromEntries(SEEN.map((task) => [task["id"], householdSolution(task)]));
  write("script.json", JSON.stringify({ tasks: solved }));
  const collect = ["collect", "--env", "gymline/household-v1", "--agent", "scripted:script.json"];
  for (const args of [
    [...collect, "--tasks", "seen.jsonl", "--run", "seen", "--project", "team", "--quiet"],
    ["run", "drop", "--no-export", "--quiet"],
    ["export", "--name", "sft", "--split", "1/0/0"],
    ["train", "new", "--data", "sft", "--out", "base", "--seed", "1", "--python", python],
  ]) {
    const { code, stderr } = await gymline(args, { cwd, env: { PYTHONDONTWRITEBYTECODE: "1" } });
    expect(code, stderr).toBe(0);
  }
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => statSync(join(folder, name)).isFile())
    .map((name) => relative(folder, join(folder, name)));
}

describe("a loop on the local AWS stack, from logs to a champion that has learnt from them", {
  timeout: 840_000,
}, () => {
  let deployment: TestDeployment;
  let seen: () => Promise<readonly string[]>;
  let environment: PythonEnvironment = { kind: "absent", reason: "not looked for yet" };
  let made: Promise<void> = Promise.resolve();
  const batchHome = mkdtempDisposableSync(join(tmpdir(), "gymline-batch-"));
  const work = mkdtempDisposableSync(join(tmpdir(), "gymline-loop-"));
  beforeAll(async () => {
    environment = await trainerEnvironment();
    // While the stack is deployed, which waits for the most part.
    if (environment.kind === "ready") made = beginnings(work.path, environment.python);
    made.catch(() => undefined);
  });
  useEngine("ministack", async ({ running }) => {
    if (environment.kind === "absent") return;
    deployment = await deployPipeline({
      engine: running,
      batchHome: batchHome.path,
      trainer: [
        // Models this small lose more by waiting for other threads than they win by them.
        ...["/usr/bin/env", "OMP_NUM_THREADS=1", "PYTHONDONTWRITEBYTECODE=1", "HF_HUB_OFFLINE=1"],
        ...[environment.python, resolve(import.meta.dirname, "../../containers/trainer/job.py")],
      ],
      files: { "held-out.jsonl": lines(HELD_OUT), "practised.jsonl": lines(PRACTISED) },
      config: {
        ...{ name: "loop", onDelete: "destroy" },
        datasets: [{ request: { name: "sft", minReward: 0, split: { train: 1, validation: 0 } } }],
        batch: {
          training: { vcpus: 1, memoryMiB: 2048 },
          rollouts: { concurrency: 1, sandbox: { vcpus: 0.5, memoryMiB: 64 }, job: { memoryMiB: 512 } },
        },
        loop: [
          {
            ...{ model: "agent", dataset: "sft", retrain: { minimumNew: 10 } },
            promotion: { alpha: 0.01, minimumTasks: HELD_OUT.length, minimumEpisodes: HELD_OUT.length },
            train: {
              base: "models/agent/base",
              options: {
                ...{ epochs: 20, learning_rate: 3e-3, batch_size: 16, gradient_accumulation_steps: 1 },
                ...{ max_length: 768, seed: 1 },
              },
            },
            evaluate: { ...ROLLOUTS, tasks: "held-out.jsonl", shards: 2 },
            collect: { ...ROLLOUTS, tasks: "practised.jsonl", project: "team" },
          },
        ],
      },
    });
    seen = await eventsOf(deployment);
  });
  afterAll(async () => {
    await made.catch(() => undefined);
    await deployment?.close();
    batchHome.remove();
    work.remove();
  });

  /** The first champion: it has learnt nothing. */
  async function crownBase(): Promise<void> {
    const { store, ledger } = deployment;
    const folder = join(work.path, "base");
    const put = (name: string) => store.put(`models/agent/base/${name}`, readFileSync(join(folder, name)));
    await Promise.all(filesIn(folder).map(put));
    const ports = { store, ledger, clock: systemClock };
    const lineage = {
      ...{ dataset: null, base: null, parent: null, training: null, job: null },
      ...{ algorithm: null, trainer_commit: null },
    };
    const base = { name: "agent", version: "base" };
    await registerModel({ ...base, files: "models/agent/base", metrics: {}, lineage }, ports);
    await promoteModel(base, { word: { by: "ann", reason: "the first one" }, ports });
  }

  /** Waits until so many logs are scored, and asks for a dataset of them. */
  async function publish(logs: number): Promise<void> {
    await until(`${logs} logs are scored`, { withinMs: 240_000, everyMs: 500 }, async () => {
      const scored = (await deployment.entries()).filter(({ scorer }) => scorer !== null);
      return scored.length >= logs ? { done: true } : { waiting: scored.length };
    });
    await deployment
      .queue("Export")
      .send([JSON.stringify({ schema: "gymline.export.v1", dataset: "sft", cause: "request" })]);
  }

  const ended = (before: readonly string[]): Promise<LoopRun> =>
    until("the loop's run has ended", { withinMs: 400_000, everyMs: 1000 }, async () => {
      const { active, trained, skipped } = (await readLoop("agent", deployment.ledger)).value;
      for await (const { key } of deployment.store.list("loops/agent/")) {
        if (key.endsWith(".training.json") || before.includes(key)) continue;
        const run = await readStored(key, loopRunSchema, deployment.store);
        if (run !== undefined && active === null) return { done: run };
      }
      return { waiting: { active, trained, skipped } };
    });

  /** Share of tasks that each agent of an evaluation solved. */
  async function success({ evaluation }: LoopRun): Promise<Readonly<Record<string, number | null>>> {
    const { store } = deployment;
    const found = await readStored(evaluationKey(evaluation ?? ""), evaluationSchema, store);
    const figures = found?.figures ?? [];
    return Object.fromEntries(figures.map(({ agent, metrics }) => [agent, metrics.success?.value ?? null]));
  }

  it("trains on published logs, promotes what is better, lets it act, trains on that and rejects what is no better", async ({
    skip,
  }) => {
    if (environment.kind === "absent") return skip(environment.reason);
    await made;
    await crownBase();
    const drop = join(work.path, "drop");
    const logs = filesIn(join(drop, "team")).map((name) => `team/${name}`);
    expect(logs).toHaveLength(SEEN.length);
    for (const key of logs) await deployment.put(key, readFileSync(join(drop, key)));

    await publish(SEEN.length);
    const first = await ended([]);
    expect(first).toMatchObject({ state: "promoted", parent: "base", champion: "base", reason: null });
    for (const step of ["train", "candidate", "champion", "collect"] as const) {
      expect(first.steps[step]).toMatchObject({ ended: "succeeded", tries: 1 });
    }
    expect((await readLine("agent", deployment.ledger))?.champion).toBe(first.version);
    const learnt = await success(first);
    expect(learnt["champion"]).toBe(0);
    expect(learnt["candidate"]).toBeGreaterThan(0.5);

    // Of the champion's rollouts the second version is made, and of none of the evaluation's.
    await publish(SEEN.length + PRACTISED.length);
    const second = await ended([loopRunKey("agent", first.id)]);
    const known = (await deployment.entries()).map(({ taskId }) => taskId).toSorted();
    expect(known).toEqual([...SEEN, ...PRACTISED].map(({ id }) => id).toSorted());
    expect(second).toMatchObject({ state: "rejected", champion: first.version, parent: first.version });
    // As many as the export takes; the policy asks for ten.
    expect(second.dataset.fresh).toBeGreaterThanOrEqual(10);
    expect(second.dataset.fresh).toBeLessThanOrEqual(PRACTISED.length);
    const line = await readLine("agent", deployment.ledger);
    expect([line?.champion, line?.versions[second.version ?? ""]?.state]).toEqual([
      first.version,
      "rejected",
    ]);
    // The same tasks and seeds, by the model that was registered.
    expect((await success(second))["champion"]).toBe(learnt["candidate"]);

    const types = await seen();
    for (const type of [
      "training.requested",
      "training.submitted",
      "training.finished",
      "model.registered",
      "evaluation.finished",
    ]) {
      expect(types.filter((each) => each === type).length).toBeGreaterThanOrEqual(2);
    }
    expect(types).toEqual(expect.arrayContaining(["model.promoted", "model.rejected"]));
    expect(types).not.toContain("loop.stopped");
    expect(await deployment.depth("LoopDlqUrl")).toBe(0);
  });
});

const eventSchema = z.object({ "detail-type": z.string() });

/** Listens on the deployment's bus; gives the types of the events that came since. */
async function eventsOf({ clients, output }: TestDeployment): Promise<() => Promise<readonly string[]>> {
  const [sqs, events] = await Promise.all([clients.sqs(), clients.eventBridge()]);
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "loop-events" }));
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }),
  );
  const bus = { EventBusName: output("EventBusName") };
  const EventPattern = JSON.stringify({ source: ["gymline"] });
  await events.send(new PutRuleCommand({ ...bus, Name: "loop-events", EventPattern }));
  const target = { Id: "queue", Arn: Attributes?.["QueueArn"] };
  await events.send(new PutTargetsCommand({ ...bus, Rule: "loop-events", Targets: [target] }));
  return async () => {
    const types: string[] = [];
    for (;;) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 600 }),
      );
      if (Messages.length === 0) return types;
      types.push(...Messages.map(({ Body = "" }) => eventSchema.parse(JSON.parse(Body))["detail-type"]));
    }
  };
}
