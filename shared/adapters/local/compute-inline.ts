import type { ScoreEvidence } from "../../contracts/evidence.ts";
import type { RowInspection } from "../../dataset/quality/inspect-row.ts";
import type {
  Compute,
  ComputedRecord,
  ComputedScore,
  GroupRows,
  GroupTask,
  InspectTask,
  RefusedRow,
  RenderedRow,
  RowTask,
} from "../../ports/compute.ts";
import type { SourceRecord } from "../../reading/source.ts";
import { computeGroup } from "../../stages/compute-groups.ts";
import {
  computeIngest,
  computeInspection,
  computeRow,
  computeScore,
  type TaskSettings,
} from "../../stages/compute-tasks.ts";

/** Computes in the calling thread: for formats registered in code, which no other thread can see. */
export class InlineCompute implements Compute {
  readonly #settings: TaskSettings;

  constructor(settings: TaskSettings) {
    this.#settings = settings;
  }

  async ingest(record: SourceRecord): Promise<ComputedRecord> {
    return computeIngest(record, this.#settings);
  }

  async score(document: Uint8Array, evidence?: ScoreEvidence): Promise<ComputedScore> {
    return computeScore(document, this.#settings.score, evidence);
  }

  async row(task: RowTask): Promise<RenderedRow | RefusedRow> {
    return computeRow(task, this.#settings);
  }

  async group(task: GroupTask): Promise<GroupRows> {
    return computeGroup(task, this.#settings);
  }

  async inspect(task: InspectTask): Promise<RowInspection> {
    return computeInspection(task, this.#settings);
  }

  async close(): Promise<void> {}
}
