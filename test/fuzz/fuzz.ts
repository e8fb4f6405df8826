import { Worker } from "node:worker_threads";

export interface FuzzJob {
  readonly seed: number;
  readonly first: number;
  readonly count: number;
  /** One number: the mutant under way. */
  readonly progress: Int32Array;
}

export interface FuzzReport {
  readonly corpus: string;
  readonly mutants: number;
  readonly trajectories: number;
  readonly rejections: number;
  readonly redactions: number;
  /** Mutants with a secret hidden in them. */
  readonly planted: number;
  readonly faults: readonly string[];
}

/** Far more than any mutant takes on a busy machine: only what never ends gets there. */
const STUCK_MS = 60_000;

/** Runs mutants `first` and on in a thread of their own; a mutant that never ends is a fault like any other. */
export async function fuzz(job: Omit<FuzzJob, "progress">): Promise<FuzzReport> {
  const progress = new Int32Array(new SharedArrayBuffer(4)).fill(-1);
  const worker = new Worker(new URL("./fuzz-worker.ts", import.meta.url), {
    workerData: { ...job, progress } satisfies FuzzJob,
  });
  try {
    return await new Promise<FuzzReport>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
      watch(progress, () => reject(new StuckError(job.seed, Atomics.load(progress, 0)))).stopWith(worker);
    });
  } finally {
    await worker.terminate();
  }
}

/** A mutant did not end. */
export class StuckError extends Error {
  override readonly name = "StuckError";
  constructor(seed: number, index: number) {
    super(`mutant ${index} of seed ${seed} did not end in ${STUCK_MS / 1000} s`);
  }
}

function watch(progress: Int32Array, onStuck: () => void): { stopWith(worker: Worker): void } {
  let last = Atomics.load(progress, 0);
  const timer = setInterval(() => {
    const now = Atomics.load(progress, 0);
    if (now === last) onStuck();
    last = now;
  }, STUCK_MS);
  return { stopWith: (worker) => worker.once("exit", () => clearInterval(timer)) };
}

/** `GYMLINE_FUZZ_SEED` chooses other mutants, `GYMLINE_FUZZ_COUNT` how many, `GYMLINE_FUZZ_FIRST` the first one. */
export function fuzzPlan(count: number): Omit<FuzzJob, "progress"> {
  return {
    seed: wholeNumber("GYMLINE_FUZZ_SEED", 20_260_101),
    first: wholeNumber("GYMLINE_FUZZ_FIRST", 0),
    count: wholeNumber("GYMLINE_FUZZ_COUNT", count),
  };
}

function wholeNumber(name: string, otherwise: number): number {
  const text = process.env[name];
  if (text === undefined || text === "") return otherwise;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`${name} takes a whole number, not "${text}"`);
  return value;
}
