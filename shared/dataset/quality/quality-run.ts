import type { DatasetRequest } from "../../contracts/dataset-request.ts";
import { repositoryName } from "../../curation/decontaminate.ts";
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

  constructor(request: DatasetRequest) {
    this.#request = request;
    const { split, target, checks } = request;
    this.#checks = new RowChecks({
      target: targetOf(target),
      settings: checks ?? checksSchema.parse({}),
      splitBy: "by" in split && split.by === "repository" ? "repository" : "task",

      wanted: SPLIT_NAMES.filter((name) => split[name] > 0),
    });
  }

  /** A trajectory that is in the set, once. */
  addTrajectory(split: SplitName, facts: RowFacts): void {
    this.#tally.addTrajectory(split, facts);
  }

  addRow({ split, task, inspection, members }: ExportedRow): void {
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
      tokens_by: "estimate",
      checks: [...checks],
      ...this.#tally.sections(),
    };
  }
}
