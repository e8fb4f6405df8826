import type { DatasetRequest } from "../../contracts/dataset-request.ts";
import { repositoryName } from "../../curation/decontaminate.ts";
import type { CountedTokens } from "../../tokenizer/token-counter.ts";
import { SPLIT_NAMES, type SplitName } from "../split.ts";
import type { RowFacts } from "../tally.ts";
import { targetOf } from "../targets/targets.ts";
import { DatasetCheckError } from "./check-error.ts";
import { checksSchema } from "./checks.ts";
import type { RowInspection } from "./inspect-row.ts";
import type { QualityReport } from "./quality-report.ts";
import { QualityTally } from "./quality-tally.ts";
import { RowChecks } from "./row-checks.ts";

/** A row as the export made it. */
export interface ExportedRow {
  readonly split: SplitName;
  readonly task: string;
  readonly inspection: RowInspection;
  readonly members: readonly { readonly id: string; readonly facts: RowFacts }[];
}

/** Checks and report of one export: takes all rows in the order in which they are written. */
export class QualityRun {
  readonly #request: DatasetRequest;
  readonly #checks: RowChecks;
  readonly #tally = new QualityTally();
  readonly #counted: CountedTokens | undefined;

  /** @param counted tokens of trajectories by the request's tokenizer: those of rows that are one trajectory each */
  constructor(request: DatasetRequest, counted?: CountedTokens) {
    this.#request = request;
    const { split, target, checks } = request;
    const { unit } = targetOf(target);
    this.#counted = unit === "trajectory" || unit === "group" ? counted : undefined;
    this.#checks = new RowChecks({
      target: targetOf(target),
      settings: checks ?? checksSchema.parse({}),
      splitBy: split.by ?? "task",
      wanted: SPLIT_NAMES.filter((name) => split[name] > 0),
    });
  }

  /** A trajectory that is in the set, once. */
  addTrajectory(split: SplitName, facts: RowFacts): void {
    this.#tally.addTrajectory(split, facts);
  }

  addRow({ split, task, inspection: estimated, members }: ExportedRow): void {
    const tokens = this.#counted?.of.get(members[0]?.id ?? "");
    const inspection = tokens === undefined ? estimated : { ...estimated, tokens };
    this.#tally.addRow(split, inspection);
    this.#checks.add({
      split,
      inspection,
      task,
      members: members.map(({ id, facts: { contentId, repo } }) => ({
        id,
        contentId,
        repo: repo === null ? null : repositoryName(repo),
      })),
    });
  }

  /** @throws DatasetCheckError where a check fails that is not allowed to */
  finish(version: string): QualityReport {
    const { name, target } = this.#request;
    const checks = this.#checks.finish();
    const failed = checks.filter(({ outcome }) => outcome === "failed");
    if (failed.length > 0) throw new DatasetCheckError(name, failed);
    return {
      schema: "gymline.quality.v1",
      name,
      version,
      target,
      tokens_by: this.#counted?.by.tokenizer.name ?? "estimate",
      checks: [...checks],
      ...this.#tally.sections(),
    };
  }
}
