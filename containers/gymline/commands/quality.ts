import type { Command } from "commander";
import type { Manifest } from "../../../shared/dataset/manifest.ts";
import { checksSchema } from "../../../shared/dataset/quality/checks.ts";
import { estimateTokens } from "../../../shared/judge/tokens.ts";
import { createRedactor } from "../../../shared/redaction/redactor.ts";
import { manifestOf } from "../../../shared/stages/stored-manifest.ts";
import { checkVersion, storedReport } from "../../../shared/versions/check-version.ts";
import { findVersion } from "../../../shared/versions/find-version.ts";
import { numeric } from "../dataset-options.ts";
import { EXIT } from "../exit-code.ts";
import { collect, examples } from "../options.ts";
import { startProgress } from "../progress.ts";
import { qualityReportText } from "../quality-report.ts";
import { loadSettings } from "../settings.ts";
import { inStore, type StoreOption, storeOrDeployment } from "../store-access.ts";
import { out } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

interface QualityOptions extends StoreOption {
  readonly config?: string;
  readonly rowTokens?: string;
  readonly allow?: readonly string[];
  readonly json?: boolean;
}

export function addQuality(program: Command): void {
  const command = program
    .command("quality")
    .description("check the rows of a dataset version and show what is in it; exit code 2: a check failed")
    .argument(
      "<version>",
      "<dataset>/<version>, of which the first digits will do, or <dataset> for its newest",
    )
    .option("-c, --config <file>", "configuration file (default: ./gymline.json, if there is one)")
    .option("--row-tokens <n>", "a row of more tokens fails (default: as it was exported)")
    .option("--allow <check>", "let a check find something (may be repeated)", collect)
    .option("--json", "print JSON: the report with the checks as they are now");
  storeOrDeployment(command);
  examples(command, [
    "gymline quality sft",
    "gymline quality sft/5750 --row-tokens 16384",
    "gymline quality sft --json | jq '.checks[] | select(.outcome == \"failed\")'",
  ]).action(run);
}

async function run(text: string, options: QualityOptions): Promise<void> {
  const { config } = loadSettings(options.config === undefined ? {} : { config: options.config });
  const settings = thresholds(options);
  await inStore(options, {
    mode: "read",
    work: async ({ store, catalog }) => {
      const entry = await findVersion(text, catalog);
      const manifest = await manifestOf(entry, store);
      const report = await storedReport(manifest, store);
      const progress = startProgress("checking", { quiet: options.json === true });
      const checks = await checkVersion(manifest, {
        store,
        redactor: createRedactor(config.redaction),
        countTokens: estimateTokens,
        settings,
        onProgress: (done, total) => progress.update({ done, total }),
      }).finally(() => progress.end());
      if (options.json === true) out(JSON.stringify({ ...(report ?? named(manifest)), checks }));
      else out(qualityReportText({ name: `${manifest.name}/${manifest.version}`, report, checks }));
      if (checks.some(({ outcome }) => outcome === "failed")) process.exitCode = EXIT.rejected;
    },
  });
}

/** Of a version that was written without a report. */
function named({ name, version }: Manifest): object {
  return { schema: "gymline.quality.v1", name, version };
}

function thresholds({ rowTokens, allow }: QualityOptions): object {
  const maxTokens = numeric("--row-tokens", rowTokens);
  const given = {
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(allow === undefined ? {} : { allow }),
  };
  const result = checksSchema.partial().safeParse(given);
  if (result.success) return given;
  throw new UsageError(result.error.issues.map(({ message }) => message).join("; "));
}
