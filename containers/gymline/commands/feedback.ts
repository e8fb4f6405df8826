import type { Command } from "commander";
import { systemClock } from "../../../shared/adapters/local/system-clock.ts";
import { feedbackSchema, type NewFeedback } from "../../../shared/contracts/feedback.ts";
import { gdiOf } from "../../../shared/curation/gdi.ts";
import {
  type FeedbackCounts,
  giveFeedback,
  giveVersionFeedback,
} from "../../../shared/stages/give-feedback.ts";
import { findVersion } from "../../../shared/versions/find-version.ts";
import { numeric } from "../dataset-options.ts";
import { gdiText } from "../gdi-text.ts";
import { examples } from "../options.ts";
import { inStore, type OpenStore, resolveId, type StoreOption, storeOrDeployment } from "../store-access.ts";
import { figure, many, note, out, printable } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

interface FeedbackOptions extends StoreOption {
  readonly score?: string;
  readonly source?: string;
  readonly withdraw?: boolean;
  readonly json?: boolean;
}

export function addFeedback(program: Command): void {
  const command = program
    .command("feedback")
    .description(
      "say how useful a trajectory, or all those of a dataset version, turned out to be; part of the GDI",
    )
    .argument("<what>", "trajectory id, of which the first digits will do, or <dataset>/<version>")
    .option("--score <x>", "0 (of no use) to 1")
    .option("--source <name>", "who or what says so; each source has one word, a later one replaces it")
    .option("--withdraw", "take back what the source said")
    .option("--json", "print JSON");
  storeOrDeployment(command);
  examples(command, [
    "gymline feedback 3f2a91 --score 0.9 --source review:ann --store out",
    'gymline feedback sft/5750 --score 0.62 --source "solved by model-7"',
    "gymline feedback 3f2a91 --withdraw --source review:ann",
    "gymline feedback 3f2a91   (shows what sources said)",
  ]).action(run);
}

async function run(what: string, options: FeedbackOptions): Promise<void> {
  const given = givenBy(options);
  const mode = given === undefined ? "read" : "write";
  await inStore(options, {
    mode,
    work: async (opened) => {
      if (what.includes("/")) await ofVersion(what, { given, opened, options });
      else await ofTrajectory(await resolveId(opened.catalog, what), { given, opened, options });
    },
  });
}

interface Work {
  readonly given: NewFeedback | undefined;
  readonly opened: OpenStore;
  readonly options: FeedbackOptions;
}

async function ofVersion(text: string, { given, opened, options }: Work): Promise<void> {
  if (given === undefined) {
    throw new UsageError(
      "give --score and --source; what was said stands with each trajectory (gymline list --sort gdi)",
    );
  }
  const { name, version } = await findVersion(text, opened.catalog);
  const counts = await giveVersionFeedback({ name, version }, { ...opened, feedback: given });
  if (options.json === true) {
    out(JSON.stringify({ schema: "gymline.feedback-given.v1", dataset: name, version, ...given, ...counts }));
  } else out(`${name}/${version}: ${countsText(counts)}`);
}

async function ofTrajectory(id: string, { given, opened, options }: Work): Promise<void> {
  const { catalog } = opened;
  if (given !== undefined) await giveFeedback([id], { feedback: given, catalog });
  const entry = await catalog.entry(id);
  if (entry === undefined) throw new UsageError(`trajectory ${id} was forgotten meanwhile`);
  const feedback = await catalog.feedbackOf(id);
  const gdi = gdiOf(entry, systemClock.now());
  if (options.json === true) {
    const mean = entry.feedback;
    out(JSON.stringify({ schema: "gymline.feedback.v1", id, feedback, mean, gdi }));
    return;
  }
  for (const { source, score } of feedback) out(`${figure(score)}  ${printable(source)}`);
  if (feedback.length === 0) note("nobody said anything yet; counts as 0.5");
  else out(`mean ${figure(entry.feedback)} of ${many(feedback.length, "source")}`);
  out(`GDI ${gdiText(gdi)}`);
}

/** undefined: nothing is given, what is there is shown. @throws UsageError */
function givenBy({ score, source, withdraw }: FeedbackOptions): NewFeedback | undefined {
  if (score === undefined && withdraw !== true) {
    if (source === undefined) return undefined;
    throw new UsageError("--source says something with --score, or takes it back with --withdraw");
  }
  if (score !== undefined && withdraw === true)
    throw new UsageError("--score and --withdraw exclude each other");
  if (source === undefined) throw new UsageError("give --source: who or what says so");
  const result = feedbackSchema.safeParse({ source, score: numeric("--score", score) ?? null });
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new UsageError(`--${issue?.path.join(".")}: ${issue?.message}`);
}

function countsText({ set, unchanged, absent }: FeedbackCounts): string {
  return [
    `feedback of ${many(set, "trajectory", "trajectories")}`,
    unchanged === 0 ? "" : `${unchanged} as before`,
    absent === 0 ? "" : `${absent} forgotten meanwhile`,
  ]
    .filter((part) => part !== "")
    .join(", ");
}
