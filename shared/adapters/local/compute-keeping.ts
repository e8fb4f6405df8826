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
import { releaseBytes } from "../../stages/release-bytes.ts";
import type { RowSpool } from "./row-spool.ts";

/** Computes as another does, and keeps the rows that come along with ingest until the run's export wants them. */
export class KeepingCompute implements Compute {
  readonly #inner: Compute;
  readonly #spool: RowSpool;

  constructor(inner: Compute, spool: RowSpool) {
    this.#inner = inner;
    this.#spool = spool;
  }

  async ingest(record: SourceRecord): Promise<ComputedRecord> {
    const computed = await this.#inner.ingest(record);
    const trajectories: ComputedRecord["trajectories"][number][] = [];
    for (const { rendered, ...trajectory } of computed.trajectories) {
      const { row, score } = trajectory;
      if (rendered !== undefined && score !== undefined) {
        const { id, revision } = row;
        this.#spool.keep({ id, revision, scorer: score.row.scorer }, rendered);
        releaseBytes(rendered.line);
      }
      trajectories.push(trajectory);
    }
    return { ...computed, trajectories };
  }

  score(document: Uint8Array, evidence?: ScoreEvidence): Promise<ComputedScore> {
    return this.#inner.score(document, evidence);
  }

  row(task: RowTask): Promise<RenderedRow | RefusedRow> {
    return this.#inner.row(task);
  }

  group(task: GroupTask): Promise<GroupRows> {
    return this.#inner.group(task);
  }

  rowGroup(task: RowGroupTask): Promise<EncodedGroup> {
    return this.#inner.rowGroup(task);
  }

  tokens(task: TokensTask): Promise<TokensCount> {
    return this.#inner.tokens(task);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
