import { createHash } from "node:crypto";
import type { DeployedLoop, PlacedLoop } from "../contracts/deployed-loop.ts";
import { evaluatedAgentSchema, evaluationSchema } from "../contracts/evaluation.ts";
import { datasetPrefix, loopTrainingKey, modelPrefix } from "../contracts/keys.ts";
import type { LoopRun, LoopStepName } from "../contracts/loop.ts";
import { modelFilesKey, modelFilesSchema } from "../contracts/model-files.ts";
import { storedModelSchema } from "../contracts/rollout-plan.ts";
import { type TrainingPlan, trainingPlan, trainingPlanSchema } from "../contracts/training-plan.ts";
import { numbersOf, trainingRecordSchema } from "../contracts/training-record.ts";
import type { AgentEpisodes } from "../evaluation/agent-episodes.ts";
import { evaluationOf } from "../evaluation/evaluation-of.ts";
import { storeEvaluation } from "../evaluation/stored-evaluation.ts";
import { submitTraining } from "../operations/submit-training.ts";
import { trainableModel } from "../operations/trainable-model.ts";
import type { Clock } from "../ports/clock.ts";
import type { Jobs } from "../ports/jobs.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { evaluatedPair } from "../registry/evaluated-pair.ts";
import { showModel } from "../registry/registry.ts";
import { rolloutRequest } from "../rollout/rollout-request.ts";
import { readStored } from "../stages/stored-json.ts";
import { manifestKey } from "../stages/stored-manifest.ts";
import { type LoopRollout, placeRollout, type RolledOut, rolledOut } from "./loop-rollout.ts";
import type { EvaluatedRun, LoopWorks, TrainedModel } from "./works.ts";

export interface BatchWorksPorts {
  readonly loops: readonly PlacedLoop[];
  readonly store: ObjectStore;
  readonly ledger: Ledger;
  readonly clock: Clock;
  /** Jobs that train, and jobs in which agents act. */
  readonly trainings: Pick<Jobs, "list" | "submit">;
  readonly rollouts: Pick<Jobs, "list" | "submit">;
  readonly storeBucket: string;
}

/** A job of the loop cannot be submitted; says what to do. */
export class LoopWorksError extends Error {
  override readonly name = "LoopWorksError";
}

/**
 * Trainings and rollouts as jobs of a deployment. A model's rollouts for its evaluation leave no logs, so that nobody
 * trains on what models are evaluated on; those of a new champion go into the drop. What an array of jobs left undone
 * is an episode that failed, whichever child it was, and the gate counts those.
 */
export class BatchWorks implements LoopWorks {
  readonly collects = true;
  readonly #ports: BatchWorksPorts;

  constructor(ports: BatchWorksPorts) {
    this.#ports = ports;
  }

  /** @throws LoopWorksError, TrainingBusyError, UnknownModelError, TasksFileError */
  async submit(step: LoopStepName, run: LoopRun): Promise<{ readonly job: string | null }> {
    const { loop, tasks } = this.#loopOf(run);
    if (step === "train") return this.#train(run, loop);
    const now = this.#ports.clock.now();
    if (step === "collect") {
      if (loop.collect === undefined || tasks.collect === null) return { job: null };
      const { project } = loop.collect;
      return this.#roll({
        name: `loop-${run.id}-collect`,
        ...{ rollouts: loop.collect, tasks: tasks.collect, project, now },
        model: await this.#filesOf(run, run.version),
        // Other attempts each time.
        seed: Number.parseInt(run.id.slice(0, 8), 16),
      });
    }
    const version = step === "candidate" ? run.version : run.champion;
    const { seed } = loop.evaluate;
    return this.#roll({
      name: rolloutName(run, version),
      ...{ rollouts: loop.evaluate, tasks: tasks.evaluate, seed, project: null, now },
      model: await this.#filesOf(run, version),
    });
  }

  async trained(run: LoopRun): Promise<TrainedModel | undefined> {
    const { store } = this.#ports;
    const plan = await readStored(loopTrainingKey(run.model, run.id), trainingPlanSchema, store);
    if (plan === undefined) return undefined;
    const prefix = modelPrefix(run.model, plan.run);
    // Written last: what it lists is there.
    const manifest = await readStored(modelFilesKey(prefix), modelFilesSchema, store);
    if (manifest?.run !== plan.run) return undefined;
    if (!manifest.files.some(({ path }) => path === "onnx/config.json")) return undefined;
    const record = (await readStored(`${prefix}training.json`, trainingRecordSchema, store)) ?? {};
    const dataset = await store.read(manifestKey(run.dataset));
    const { name, version } = run.dataset;
    return {
      version: plan.run,
      files: prefix.slice(0, -1),
      metrics: { ...numbersOf(record) },
      lineage: {
        dataset: { name, version, manifest_sha256: createHash("sha256").update(dataset).digest("hex") },
        base: String(plan.options["model"]),
        parent: run.parent,
        training: plan.run,
        job: run.steps.train?.job ?? null,
        algorithm: plan.algorithm,
        trainer_commit: record.commit ?? null,
      },
    };
  }

  async evaluated(run: LoopRun): Promise<EvaluatedRun> {
    const { store } = this.#ports;
    const candidate = await rolledOut(rolloutName(run, run.version), store);
    const champion = run.champion === null ? null : await rolledOut(rolloutName(run, run.champion), store);
    if (candidate === undefined || champion === undefined) {
      const none = run.champion === null ? null : [];
      return { planned: [], candidate: [], champion: none, evaluation: null };
    }
    const { plan, planned, tasksHash } = candidate;
    const agents = [
      agentOf("candidate", { run, version: run.version, rolled: candidate }),
      ...(champion === null ? [] : [agentOf("champion", { run, version: run.champion, rolled: champion })]),
    ];
    const { env, attempts, seed } = plan;
    const subject = { env: evaluationSchema.shape.env.parse(env), attempts, seed, tasksHash, planned };
    const parts = evaluationOf(subject, { agents });
    await storeEvaluation(store, parts);
    const names = { candidate: "candidate", champion: champion === null ? null : "champion" };
    return { ...evaluatedPair(parts, names), evaluation: parts.document.id };
  }

  /** @throws LoopWorksError */
  #loopOf({ model }: LoopRun): PlacedLoop {
    const found = this.#ports.loops.find(({ loop }) => loop.model === model);
    if (found !== undefined) return found;
    throw new LoopWorksError(`this deployment has no loop of the model "${model}" any more`);
  }

  get #place(): string {
    return `s3://${this.#ports.storeBucket}`;
  }

  async #train(run: LoopRun, loop: DeployedLoop): Promise<{ readonly job: string | null }> {
    const { store, ledger, trainings, storeBucket } = this.#ports;
    const { name, version } = run.dataset;
    const plan: TrainingPlan = trainingPlan({
      algorithm: loop.train.algorithm,
      options: {
        ...loop.train.options,
        data: `${this.#place}/${datasetPrefix(name, version).slice(0, -1)}`,
        model: await this.#startOf(run, loop),
        // Without it, no job could let the model act.
        export: "onnx",
      },
      name: run.model,
      storeBucket,
    });
    await store.put(loopTrainingKey(run.model, run.id), Buffer.from(JSON.stringify(plan, null, 1)));
    const ports = { store, ledger, jobs: trainings, place: this.#place };
    const submitted = await submitTraining(plan, ports);
    return { job: submitted.kind === "done" ? null : submitted.job };
  }

  /** What training begins with. */
  async #startOf(run: LoopRun, { train }: DeployedLoop): Promise<string> {
    const { base, from } = train;
    const isParent = run.parent !== null && from === "champion";
    const key = isParent ? await this.#filesOf(run, run.parent) : base;
    if (!key.startsWith("models/")) return key;
    const found = await trainableModel(key, this.#ports.store);
    if (found.kind === "found") return `${this.#place}/${found.key}`;
    throw new LoopWorksError(`the loop of ${run.model} cannot train: ${found.reason}`);
  }

  /** Prefix of a registered model. @throws LoopWorksError, UnknownModelError */
  async #filesOf({ model }: LoopRun, version: string | null): Promise<string> {
    const { store, ledger } = this.#ports;
    const { facts } = await showModel({ name: model, version: version ?? "" }, { store, ledger });
    const files = facts.files.replace(`${this.#place}/`, "").replace(/\/+$/, "");
    if (storedModelSchema.safeParse(files).success) return files;
    throw new LoopWorksError(
      `${model}/${version} lies in ${facts.files}, where no job of the deployment reads: copy it to ${this.#place}/models/${model}/<version>/ and register that`,
    );
  }

  /** @throws LoopWorksError */
  async #roll(rollout: LoopRollout): Promise<{ readonly job: string }> {
    const { store, rollouts } = this.#ports;
    if (!(await store.exists(`${rollout.model}/onnx/config.json`))) {
      throw new LoopWorksError(
        `the store has no ${rollout.model}/onnx/, with which a job could let the model act: export it to ONNX`,
      );
    }
    const request = rolloutRequest(await placeRollout(rollout, store));
    for await (const { id, state } of rollouts.list({ name: request.name })) {
      if (state !== "SUCCEEDED" && state !== "FAILED") return { job: id };
    }
    return { job: (await rollouts.submit(request)).id };
  }
}

/** One for each model that is evaluated in the run: a new champion is evaluated beside what the candidate has done. */
export function rolloutName({ id }: Pick<LoopRun, "id">, version: string | null): string {
  return `loop-${id}-${createHash("sha256")
    .update(version ?? "")
    .digest("hex")
    .slice(0, 12)}`;
}

function agentOf(
  name: string,
  of: { readonly run: LoopRun; readonly version: string | null; readonly rolled: RolledOut },
): AgentEpisodes {
  const { plan, episodes, violationsCounted } = of.rolled;
  return {
    name,
    model: { name: of.run.model, version: of.version ?? "" },
    configuration: evaluatedAgentSchema.shape.configuration.parse(plan.agent),
    ...{ episodes, violationsCounted },
  };
}
