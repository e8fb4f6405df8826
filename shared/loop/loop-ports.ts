import type { LoopEvent } from "../contracts/events.ts";
import type { LoopPolicy, LoopRecord, LoopRun, LoopStepName } from "../contracts/loop.ts";
import type { Catalog } from "../ports/catalog.ts";
import type { Clock } from "../ports/clock.ts";
import type { Events } from "../ports/events.ts";
import type { Jobs } from "../ports/jobs.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { LoopWorks } from "./works.ts";

export interface LoopPorts {
  readonly store: ObjectStore;
  readonly catalog: Catalog;
  readonly ledger: Ledger;
  readonly jobs: Pick<Jobs, "describe" | "cancel">;
  readonly events: Events;
  readonly clock: Clock;
  readonly works: LoopWorks;
  /**
   * Nobody but this process submits jobs, and they end with it: a claim without a job, or a job that is not known, is of
   * a process that was stopped, and not counted as a try.
   */
  readonly isAlone?: true;
}

/** What a stage looks at: the record as it was read, and its run. */
export interface LoopView {
  readonly policy: LoopPolicy;
  readonly record: LoopRecord;
  readonly run: LoopRun;
}

/**
 * The next state of a loop. Nothing but the change of its record may happen once only: all else that a stage does it may
 * do again. `submit`: whoever wins the change sets this job going.
 */
export interface LoopMove {
  readonly record: LoopRecord;
  readonly submit?: LoopStepName;
}

/** A run's next state and the events that tell of it. */
export interface RunMove {
  readonly run: LoopRun;
  readonly events?: readonly LoopEvent[];
}
