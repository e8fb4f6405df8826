import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ChildJobs } from "../../../shared/adapters/local/child-jobs.ts";
import { type LocalStore, openForWriting } from "../../../shared/adapters/local/local-store.ts";
import { lockStore } from "../../../shared/adapters/local/run-lock.ts";
import { systemClock } from "../../../shared/adapters/local/system-clock.ts";
import { loopRunKey } from "../../../shared/contracts/keys.ts";
import {
  type DatasetSeen,
  type LoopPolicy,
  type LoopRecord,
  type LoopRun,
  loopPolicySchema,
  loopRunSchema,
} from "../../../shared/contracts/loop.ts";
import type { OnlineConfig } from "../../../shared/contracts/online-config.ts";
import { HOUR_MS } from "../../../shared/loop/admit.ts";
import { readLoop, runId } from "../../../shared/loop/loop-record.ts";
import type { OutgoingEvent } from "../../../shared/ports/events.ts";
import { readLine } from "../../../shared/registry/model-line.ts";
import { promoteModel, registerModel, showModel } from "../../../shared/registry/registry.ts";
import {
  datasetPublished,
  type LoopsPorts,
  newestDataset,
  redriveLoop,
  sweepLoops,
} from "../../../shared/stages/loop.ts";
import { readStored } from "../../../shared/stages/stored-json.ts";
import { UsageError } from "../usage-error.ts";
import { LocalWorks } from "./local-works.ts";
import { type OnlineState, readState, writeState } from "./online-state.ts";
import { filled } from "./placeholders.ts";

export interface OnlineOptions {
  readonly config: OnlineConfig;
  /** Name of the dataset that the store's configuration exports. */
  readonly dataset: string;
  /** Paths in commands are relative to it. */
  readonly cwd: string;
  readonly program: ConstructorParameters<typeof ChildJobs>[0]["program"];
  readonly onEvent: (event: OutgoingEvent) => void;
  readonly onPhase: (state: OnlineState) => void;
  readonly signal: AbortSignal;
}

/** A program of the loop failed; its log says why. */
export class OnlineError extends Error {
  override readonly name = "OnlineError";
}

/**
 * Runs iterations until all are done, patience is at its end, or the signal comes. Called again, it goes on.
 * @throws StoreBusyError where the same loop is under way
 */
export async function runOnline(options: OnlineOptions): Promise<OnlineState> {
  const { config, signal, cwd, program } = options;
  mkdirSync(config.folder, { recursive: true });
  const running = lockStore(config.folder, join(config.folder, ".lock.sqlite"));
  const jobs = new ChildJobs({
    ...{ program, cwd, clock: systemClock },
    logs: join(config.folder, "logs"),
    lock: join(config.folder, ".programs.sqlite"),
  });
  const stop = (): void => jobs.stop("SIGTERM");
  signal.addEventListener("abort", stop);
  try {
    // What a killed run leaves is told to end, and may take a while to save.
    await jobs.alone();
    await withStore(config, (local) => haveChampion(config, local));
    let state = readState(config.folder);
    while (!isDone(state, config) && !signal.aborted) {
      options.onPhase(state);
      state = await nextPhase(state, { ...options, jobs });
      if (!signal.aborted) writeState(config.folder, state);
    }
    return state;
  } finally {
    signal.removeEventListener("abort", stop);
    jobs.stop("SIGTERM");
    running.release();
  }
}

export function isDone({ iteration, idle }: OnlineState, { iterations, patience }: OnlineConfig): boolean {
  return iteration >= iterations || (patience > 0 && idle >= patience);
}

type Running = OnlineOptions & { readonly jobs: ChildJobs };

async function nextPhase(state: OnlineState, running: Running): Promise<OnlineState> {
  const { config } = running;
  const { iteration } = state;
  switch (state.phase) {
    case "collect": {
      const files = await withStore(config, (local) => championFiles(config, local));
      const run = `${config.model}-${iteration}`;
      const begun = existsSync(join(config.drop, ".runs", run, "run.json"));
      const { store, drop } = config;
      const command = filled(config.collect, { files, store, drop, iteration, run });
      await program(begun ? resumed(command, run) : command, { name: `collect-${iteration}`, running });
      return { ...state, phase: "take-in" };
    }
    case "take-in": {
      const settings = config.config === undefined ? [] : ["--config", config.config];
      const command = ["gymline", "run", config.drop, "--out", config.store, ...settings, "--quiet"];
      await program(command, { name: `run-${iteration}`, running });
      return { ...state, phase: "loop" };
    }
    case "loop":
      return loopPhase(state, running);
  }
}

/** Options of a run that do not stand in it and are given anew; each takes a value. */
const GIVEN_ANEW = ["--out", "--parallel", "--max-run-cost", "--max-failures", "--deployment", "--bucket"];

/** A run that was stopped is told by its name to go on; what shapes its episodes stands in it. */
function resumed(command: readonly string[], run: string): readonly string[] {
  if (command[0] !== "gymline" || command[1] !== "collect") return command;
  const anew = command.flatMap((word, index) => {
    if (GIVEN_ANEW.includes(word)) return command.slice(index, index + 2);
    const isOne = GIVEN_ANEW.some((option) => word.startsWith(`${option}=`));
    return isOne || word === "--quiet" || word === "-q" ? [word] : [];
  });
  return ["gymline", "collect", "--resume", run, ...anew];
}

/** Done, or done with something rejected (2). @throws OnlineError */
async function program(
  command: readonly string[],
  { name, running }: { readonly name: string; readonly running: Running },
): Promise<void> {
  const { jobs, signal } = running;
  const { id } = await jobs.submit({ name, command });
  await jobs.settled();
  const [status] = await jobs.describe([id]);
  if (status?.state === "SUCCEEDED" || status?.exitCode === 2 || signal.aborted) return;
  throw new OnlineError(
    `${command.slice(0, 2).join(" ")} ended with ${status?.exitCode}; ${jobs.logOf(id)} says why`,
  );
}

async function loopPhase(state: OnlineState, running: Running): Promise<OnlineState> {
  const { config, dataset, signal } = running;
  const policy = policyOf(config, dataset);
  const advance = <T>(work: (ports: LoopsPorts) => Promise<T>): Promise<T> =>
    withStore(config, (local) => work(portsOf(local, { running, policy })));
  const newest = await advance((ports) => newestDataset(dataset, ports));
  if (newest === undefined)
    return ended(state, { outcome: "no dataset", reason: "nothing was exported", champion: null });
  const run = runId(config.model, newest);
  await advance(async (ports) => {
    const before = await runOf(run, ports);
    if (before?.state === "failed" || before?.state === "invalid")
      await redriveLoop({ model: config.model, run }, ports);
    else await datasetPublished(newest, ports);
  });
  for (;;) {
    await settled(running);
    if (signal.aborted) return state;
    await advance(sweepLoops);
    const [record, over] = await advance(
      async (ports) => [(await readLoop(config.model, ports.ledger)).value, await runOf(run, ports)] as const,
    );
    if (record.active !== null) continue;
    const champion = (await advance((ports) => readLine(config.model, ports.ledger)))?.champion ?? null;
    const version = `${newest.name}/${newest.version}`;
    if (over === undefined)
      return ended(state, { dataset: version, ...notTrained(record, newest), champion });
    if (over.state === "failed") {
      throw new OnlineError(
        `the run ${run} failed: ${over.reason ?? "no reason given"}; mend it, and the same command goes on`,
      );
    }
    return ended(state, { dataset: version, run, outcome: over.state, reason: over.reason, champion });
  }
}

/** What is so of a dataset version that set no training off. */
function notTrained(
  { waiting, skipped }: LoopRecord,
  { version }: DatasetSeen,
): { readonly outcome: string; readonly reason: string | null } {
  if (waiting?.version === version) {
    return { outcome: "waits", reason: "it is too soon for another training, or the budget is spent" };
  }
  return { outcome: "skipped", reason: skipped?.version === version ? skipped.reason : null };
}

/** A timer takes no more; what is over only then is looked at again. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

/** Until all programs have ended, or one of them has taken longer than it may. */
async function settled({ jobs, config }: Running): Promise<void> {
  const over = new AbortController();
  const limit = Math.min(config.hours * HOUR_MS + 1000, LONGEST_WAIT_MS);
  try {
    await Promise.race([jobs.settled(), sleep(limit, undefined, { signal: over.signal })]);
  } finally {
    over.abort();
  }
}

function ended(
  state: OnlineState,
  of: Omit<OnlineState["iterations"][number], "iteration" | "dataset" | "run"> & {
    readonly dataset?: string;
    readonly run?: string;
  },
): OnlineState {
  const { iteration, idle, iterations } = state;
  const one = { iteration, dataset: null, run: null, ...of };
  // A run of a dataset that brought nothing new is that of an iteration before.
  const isNew = of.outcome === "promoted" && !iterations.some(({ run }) => run === one.run);
  return {
    ...state,
    iteration: iteration + 1,
    phase: "collect",
    idle: isNew ? 0 : idle + 1,
    iterations: [
      ...iterations,
      isNew || of.outcome !== "promoted" ? one : { ...one, outcome: "nothing new" },
    ],
  };
}

function policyOf(config: OnlineConfig, dataset: string): LoopPolicy {
  const { model, retrain, promotion, hours, tries } = config;
  const limits = { hours, queueHours: hours, tries };
  return loopPolicySchema.parse({ model, dataset, retrain, promotion, training: limits, evaluation: limits });
}

function portsOf(
  { store, catalog, ledger }: LocalStore,
  { running, policy }: { readonly running: Running; readonly policy: LoopPolicy },
): LoopsPorts {
  const { config, jobs, onEvent } = running;
  return {
    store,
    catalog,
    ledger,
    jobs,
    events: { publish: async (events) => events.forEach(onEvent) },
    clock: systemClock,
    works: new LocalWorks({ config, jobs, store, ledger }),
    // Nobody else runs this loop, and programs end with this process.
    isAlone: true,
    policies: [policy],
  };
}

/** The store is open only for a moment: programs of the loop write to it, too. */
async function withStore<T>(config: OnlineConfig, work: (local: LocalStore) => Promise<T>): Promise<T> {
  const local = openForWriting(config.store);
  try {
    return await work(local);
  } finally {
    await local.close();
  }
}

async function haveChampion(config: OnlineConfig, { store, ledger }: LocalStore): Promise<void> {
  const ports = { store, ledger, clock: systemClock };
  const { model, base } = config;
  if (((await readLine(model, ledger))?.champion ?? null) !== null) return;
  if (!existsSync(base))
    throw new UsageError(`there is no ${base}: "base" is the folder of the model to begin with`);
  const lineage = {
    dataset: null,
    base,
    parent: null,
    training: null,
    job: null,
    algorithm: null,
    trainer_commit: null,
  };
  await registerModel({ name: model, version: "base", files: base, metrics: {}, lineage }, ports);
  const word = { by: "gymline online", reason: "the model that the loop begins with" };
  await promoteModel({ name: model, version: "base" }, { word, ports });
}

async function championFiles(config: OnlineConfig, { store, ledger }: LocalStore): Promise<string> {
  const version = (await readLine(config.model, ledger))?.champion ?? "base";
  return (await showModel({ name: config.model, version }, { store, ledger })).facts.files;
}

async function runOf(run: string, ports: LoopsPorts): Promise<LoopRun | undefined> {
  const [policy] = ports.policies;
  return readStored(loopRunKey(policy?.model ?? "", run), loopRunSchema, ports.store);
}
