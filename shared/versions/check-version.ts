import { datasetPrefix } from "../contracts/keys.ts";
import { repositoryName } from "../curation/decontaminate.ts";
import type { Manifest } from "../dataset/manifest.ts";
import { type CheckResult, type CheckSettings, checksSchema } from "../dataset/quality/checks.ts";
import { inspectRow, type TokenCounter } from "../dataset/quality/inspect-row.ts";
import { QUALITY_FILE } from "../dataset/quality/quality-files.ts";
import { type QualityReport, qualityReportSchema } from "../dataset/quality/quality-report.ts";
import { RowChecks } from "../dataset/quality/row-checks.ts";
import { SPLIT_NAMES, splitSchema } from "../dataset/split.ts";
import type { Target } from "../dataset/targets/target.ts";
import { TARGET_IDS, targetOf } from "../dataset/targets/targets.ts";
import { ObjectNotFoundError, type ObjectStore } from "../ports/object-store.ts";
import type { Redactor } from "../redaction/redactor.ts";
import { manifestKey } from "../stages/stored-manifest.ts";
import { DatasetFileError, versionRows } from "./version-rows.ts";

export interface VersionCheckPorts {
  readonly store: ObjectStore;
  readonly redactor: Redactor;
  readonly countTokens: TokenCounter;
  /** Thresholds in place of those that the version was made with. */
  readonly settings?: Partial<CheckSettings>;
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Runs the checks over the files of a version that is there. Rows tell less than an export knows: what they do not name,
 * such as their repository, is not checked and said so.
 * @throws DatasetFileError, ObjectNotFoundError
 */
export async function checkVersion(
  manifest: Manifest,
  ports: VersionCheckPorts,
): Promise<readonly CheckResult[]> {
  const { redactor, countTokens, store, onProgress } = ports;
  const target = targetOfManifest(manifest);
  const split = splitSchema.safeParse(manifest.settings["split"] ?? {});
  const checks = new RowChecks({
    target,
    settings: settingsOf(manifest, ports),
    splitBy:
      split.data !== undefined && "by" in split.data && split.data.by === "repository"
        ? "repository"
        : "task",
    ...(split.data === undefined ? {} : { wanted: SPLIT_NAMES.filter((name) => split.data[name] > 0) }),
  });
  let done = 0;
  for await (const { split: of, row } of versionRows(manifest, { store, columns: target.columns })) {
    const inspection = inspectRow(row, { target, redactor, countTokens });
    const { id, contentId, task } = inspection.origin;
    const repo = typeof row["repo"] === "string" ? repositoryName(row["repo"]) : null;
    checks.add({ split: of, inspection, task, members: [{ id, contentId, repo }] });
    done += 1;
    onProgress?.(done, manifest.rows);
  }
  return checks.finish();
}

function targetOfManifest(manifest: Manifest): Target {
  const { target } = manifest.settings;
  const known = TARGET_IDS.find((id) => id === target);
  if (known !== undefined) return targetOf(known);
  throw new DatasetFileError(
    `${manifestKey(manifest)} names no target that this program knows; check it with the version of gymline that wrote it`,
  );
}

function settingsOf({ settings }: Manifest, { settings: over = {} }: VersionCheckPorts): CheckSettings {
  const own = checksSchema.safeParse(settings["checks"] ?? {});
  return { ...(own.data ?? checksSchema.parse({})), ...over };
}

/** The report that was written with a version; undefined where it has none. @throws DatasetFileError */
export async function storedReport(
  { name, version }: Pick<Manifest, "name" | "version">,
  store: ObjectStore,
): Promise<QualityReport | undefined> {
  const key = datasetPrefix(name, version) + QUALITY_FILE;
  try {
    return qualityReportSchema.parse(JSON.parse(Buffer.from(await store.read(key)).toString("utf8")));
  } catch (cause) {
    if (cause instanceof ObjectNotFoundError) return undefined;
    throw new DatasetFileError(
      `${key} is no quality report; gymline datasets verify says what else is damaged`,
      { cause },
    );
  }
}
