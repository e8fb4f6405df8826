import type { ScoreEvidence } from "../../contracts/evidence.ts";
import type { EncodedGroup } from "../../dataset/targets/parquet-group.ts";
import type {
  Compute,
  ComputedRecord,
  ComputedScore,
  GroupRows,
  GroupTask,
  RefusedRow,
  RenderedRow,
  RowGroupTask,
  RowTask,
  TokensCount,
  TokensTask,
} from "../../ports/compute.ts";
import type { SourceRecord } from "../../reading/source.ts";
import { computeGroup } from "../../stages/compute-groups.ts";
import {
  computeIngest,
  computeRow,
  computeRowGroup,
  computeScore,
  type TaskSettings,
} from "../../stages/compute-tasks.ts";
import { TokenCounters } from "../../stages/compute-tokens.ts";

/** Computes in the calling thread: for formats registered in code, which no other thread can see. */
export class InlineCompute implements Compute {
  readonly #settings: TaskSettings;
  readonly #counters = new TokenCounters();

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

  async rowGroup(task: RowGroupTask): Promise<EncodedGroup> {
    return computeRowGroup(task);
  }

  async tokens(task: TokensTask): Promise<TokensCount> {
    return this.#counters.count(task);
  }

  async close(): Promise<void> {}
}
