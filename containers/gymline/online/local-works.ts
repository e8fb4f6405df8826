import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { ChildJobs } from "../../../shared/adapters/local/child-jobs.ts";
import type { LoopRun, LoopStepName } from "../../../shared/contracts/loop.ts";
import type { OnlineConfig } from "../../../shared/contracts/online-config.ts";
import { numbersOf, trainingRecordSchema } from "../../../shared/contracts/training-record.ts";
import type { EvaluationParts } from "../../../shared/evaluation/evaluation-of.ts";
import { parseEvaluation, storeEvaluation } from "../../../shared/evaluation/stored-evaluation.ts";
import type { EvaluatedRun, LoopWorks, TrainedModel } from "../../../shared/loop/works.ts";
import type { Ledger } from "../../../shared/ports/ledger.ts";
import type { ObjectStore } from "../../../shared/ports/object-store.ts";
import { evaluatedPair } from "../../../shared/registry/evaluated-pair.ts";
import { showModel } from "../../../shared/registry/registry.ts";
import { manifestKey } from "../../../shared/stages/stored-manifest.ts";
import { filled } from "./placeholders.ts";

export interface LocalWorksPorts {
  readonly config: OnlineConfig;
  readonly jobs: ChildJobs;
  readonly store: ObjectStore;
  readonly ledger: Ledger;
}

/**
 * Trainings and evaluations as programs on this machine. Both models are evaluated by one program, so that all episodes
 * have the same seeds; it goes on where one before was stopped.
 */
export class LocalWorks implements LoopWorks {
  /** The next iteration collects. */
  readonly collects = false;
  readonly #ports: LocalWorksPorts;

  constructor(ports: LocalWorksPorts) {
    this.#ports = ports;
  }

  async submit(step: LoopStepName, run: LoopRun): Promise<{ readonly job: string | null }> {
    const { jobs } = this.#ports;
    if (step === "collect") return { job: null };
    // The candidate's program evaluates the champion as well, unless another became champion after it had ended.
    if (step === "champion" && !this.#isAlone(run)) return { job: null };
    const name = `${step}-${run.id}`;
    for await (const { id, state } of jobs.list({ name })) {
      if (state !== "SUCCEEDED" && state !== "FAILED") return { job: id };
    }
    const command = step === "train" ? await this.#training(run) : await this.#evaluation(run);
    return { job: (await jobs.submit({ name, command })).id };
  }

  async trained(run: LoopRun): Promise<TrainedModel | undefined> {
    const { store } = this.#ports;
    const files = this.#out(run);
    const path = join(files, "training.json");
    if (!existsSync(path)) return undefined;
    const read = trainingRecordSchema.safeParse(jsonIn(readFileSync(path, "utf8")));
    // Whoever wrote it was killed meanwhile: it is not whole.
    if (!read.success) return undefined;
    const record = read.data;
    const manifest = await store.read(manifestKey(run.dataset));
    const { name, version } = run.dataset;
    return {
      version: run.id,
      files,
      metrics: { ...numbersOf(record) },
      lineage: {
        dataset: { name, version, manifest_sha256: createHash("sha256").update(manifest).digest("hex") },
        base: record.base_model ?? null,
        parent: run.parent,
        training: run.id,
        job: null,
        algorithm: record.algorithm ?? null,
        trainer_commit: record.commit ?? null,
      },
    };
  }

  async evaluated(run: LoopRun): Promise<EvaluatedRun> {
    const none = {
      planned: [],
      candidate: [],
      champion: run.champion === null ? null : [],
      evaluation: null,
    };
    const parts = this.#parts(run);
    if (parts === undefined) return none;
    await storeEvaluation(this.#ports.store, parts);
    const names = { candidate: "candidate", champion: run.champion === null ? null : "champion" };
    return { ...evaluatedPair(parts, names), evaluation: parts.document.id };
  }

  #out(run: Pick<LoopRun, "id">): string {
    return join(this.#ports.config.folder, "models", run.id);
  }

  async #training(run: LoopRun): Promise<readonly string[]> {
    const { config } = this.#ports;
    const { name, version } = run.dataset;
    mkdirSync(join(config.folder, "models"), { recursive: true });
    return filled(config.train, {
      files: await this.#filesOf(run, run.parent),
      dataset: `${name}/${version}`,
      out: this.#out(run),
      store: config.store,
      drop: config.drop,
      run: run.id,
    });
  }

  async #evaluation(run: LoopRun): Promise<readonly string[]> {
    const { config } = this.#ports;
    const folder = this.#place(run);
    mkdirSync(folder, { recursive: true });
    const agents = [
      { name: "candidate", version: run.version },
      ...(run.champion === null ? [] : [{ name: "champion", version: run.champion }]),
    ];
    const listed = [];
    for (const { name, version } of agents) {
      const files = await this.#filesOf(run, version);
      const own = Object.fromEntries(
        Object.entries(config.evaluate.agent).map(([key, value]) => [
          key,
          typeof value === "string" ? (filled([value], { files })[0] ?? "") : value,
        ]),
      );
      listed.push({ name, registered: { name: run.model, version }, ...own });
    }
    const file = join(folder, "agents.json");
    writeFileSync(file, JSON.stringify(listed, null, 1));
    return ["gymline", "evaluate", ...config.evaluate.options, "--agents", file, "--out", folder, "--quiet"];
  }

  async #filesOf(run: LoopRun, version: string | null): Promise<string> {
    const { config, store, ledger } = this.#ports;
    if (version === null) return config.base;
    return (await showModel({ name: run.model, version }, { store, ledger })).facts.files;
  }

  /** One folder for each pair of models: a new champion makes a new evaluation. */
  #place(run: LoopRun): string {
    return join(this.#ports.config.folder, "evaluations", `${run.id}-${run.champion ?? "alone"}`);
  }

  /** Whether the candidate was evaluated, but not beside the champion there is now. */
  #isAlone(run: LoopRun): boolean {
    return run.steps.candidate?.ended === "succeeded" && this.#parts(run) === undefined;
  }

  #parts(run: LoopRun): EvaluationParts | undefined {
    const folder = join(this.#place(run), "evaluations");
    if (!existsSync(folder)) return undefined;
    const documents = readdirSync(folder)
      .filter((name) => name.endsWith(".json"))
      .map((name) => join(folder, name))
      .map((path) =>
        parseEvaluation(
          {
            document: readFileSync(path, "utf8"),
            lines: readFileSync(join(folder, `${basename(path, ".json")}.episodes.jsonl`), "utf8"),
          },
          path,
        ),
      );
    // One that was completed later has more episodes in it, or fewer that failed.
    const done = ({ lines }: EvaluationParts): number =>
      lines.filter(({ status }) => status === "done").length;
    return documents.sort((a, b) => done(b) - done(a) || b.lines.length - a.lines.length)[0];
  }
}

/** undefined: it is none. */
function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
