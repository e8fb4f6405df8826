import type { DomainProfile } from "../../domains/profile.ts";
import type { JudgeConfig } from "../../judge/config.ts";
import type { Catalog } from "../../ports/catalog.ts";
import type { ChatModel } from "../../ports/chat-model.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Ledger } from "../../ports/ledger.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import type { RubricBook } from "../../reward/rubrics.ts";

/** How trajectories are judged. */
export interface JudgeSettings {
  readonly config: JudgeConfig;
  /** Judges everything by this profile's rubrics, whatever the trajectory declares. */
  readonly profile?: DomainProfile;
  /** Rubrics and sets of the user's own, over those that are built in. */
  readonly rubrics?: RubricBook;
}

/** What looking at trajectories needs; no model is asked. */
export interface JudgeReadPorts {
  readonly store: ObjectStore;
  readonly catalog: Catalog;
  readonly ledger: Ledger;
  readonly settings: JudgeSettings;
}

export interface JudgePorts extends JudgeReadPorts {
  readonly clock: Clock;
  readonly model: ChatModel;
  /** Names this run in the records of what was spent. */
  readonly run: string;
  /** A fresh name of 8 to 32 lower-case letters and digits each time, for batches. */
  readonly newId: () => string;
  /** These trajectories have a new judgement: they are to be scored again. May come twice. */
  readonly scored: (ids: readonly string[]) => Promise<void>;
  /** Nothing new is begun once this is true. */
  readonly outOfTime?: () => boolean;
  readonly onProgress?: (state: { readonly done: number; readonly total: number }) => void;
}

/** The judge cannot go on: what is said concerns the provider or the settings, not one trajectory. */
export class JudgeStoppedError extends Error {
  override readonly name = "JudgeStoppedError";
}

/** The provider does not have a batch, or not with its requests in it; others may be fine. */
export class LostBatchError extends JudgeStoppedError {
  constructor(
    { submission, batch }: { readonly submission: string; readonly batch: string | null },
    reason: string,
    options?: ErrorOptions,
  ) {
    super(
      `batch ${batch ?? submission}: ${reason}; the key may be of another workspace, or the batch older than the provider keeps it: if its answers are lost, gymline judge --abandon ${submission} lets its trajectories be asked about anew`,
      options,
    );
  }
}
