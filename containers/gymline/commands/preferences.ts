import type { Command } from "commander";
import { type LocalStore, openForReading } from "../../../shared/adapters/local/local-store.ts";
import { collectAttempts } from "../../../shared/preferences/collect-attempts.ts";
import { decisionPath } from "../../../shared/preferences/decision-path.ts";
import {
  type PreferenceInput,
  type Preferences,
  stepPreferences,
  trajectoryPreferences,
} from "../../../shared/preferences/make-preferences.ts";
import { withMessages } from "../../../shared/preferences/pair-messages.ts";
import type { PreferenceRow } from "../../../shared/preferences/preference-row.ts";
import { AttemptsFileError, attemptsOfFile } from "../../../shared/preferences/reference-file.ts";
import type { PreferenceSummaryDocument } from "../../../shared/preferences/summary.ts";
import type { VotedPair } from "../../../shared/preferences/votes.ts";
import { storedVotes } from "../../../shared/stages/store-votes.ts";
import { votedPreferences } from "../../../shared/votes/voted-preferences.ts";
import { EXIT } from "../exit-code.ts";
import { examples } from "../options.ts";
import { openOutput } from "../output.ts";
import { type PreferenceOptions, type PreferencePlan, preferencePlan } from "../preference-options.ts";
import { noPairsReport, pairTable, preferenceReport } from "../preference-report.ts";
import { selectionOf } from "../runs.ts";
import { readJson } from "../settings.ts";
import { loadTrajectory } from "../store-access.ts";
import { many, note, out } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

/** Pairs that the terminal shows where no file is asked for. */
const SHOWN = 20;

export function addPreferences(program: Command): void {
  const command = program
    .command("preferences")
    .description("pair attempts at the same task into better and worse ones, for DPO and reward models")
    .argument("[file]", "rewards by task, {task: [{id, reward, …}]}, instead of a store")
    .option("-s, --store <dir>", "folder of the store (default: out)")
    .option(
      "--strategy <name>",
      "outside-in, all-pairs, or branches: steps at which attempts part",
      "outside-in",
    )
    .option("--margin <x>", "least difference of the rewards (default: 0.05)")
    .option("--ties <rule>", "equal rewards: never, or first-wins (default: never)")
    .option("--per-task <n>", "at most so many pairs of one task, the widest margins first")
    .option("--verified", "the chosen one succeeded and the rejected one failed, by the log's verdict")
    .option("--max-length-ratio <x>", "leave out pairs whose longer attempt has more than x times the steps")
    .option(
      "--max-longer-share <x>",
      "at most this share of pairs may have the longer attempt as the chosen one",
    )
    .option("--mixed-layers", "also compare rewards of different layers, such as with and without an outcome")
    .option("--min-runs <n>", "with branches: least number of attempts through each step (default: 1)")
    .option(
      "--votes [file]",
      "let votes on pairs go before rewards: those of the store, or JSON Lines in a file",
    )
    .option("--min-votes <n>", "votes of the store count where a pair has so many (default: 1)")
    .option("--project <label>", "this project only")
    .option("--only-domain <name>", "this domain only")
    .option("--agent <name>", "this agent only")
    .option("--model <name>", "this model only")
    .option("--source-format <name>", "this log format only")
    .option("--task <id>", "attempts at this task only")
    .option("--with-messages", "put the conversations into the rows")
    .option("-o, --out <file>", "write the pairs to this file, one JSON object a line")
    .option("--json", "print the pairs as JSON, one a line; with --out the summary");
  examples(command, [
    "gymline preferences --store out --out pairs.jsonl",
    "gymline preferences --strategy all-pairs --per-task 4 --verified --max-longer-share 0.5 --json",
    "gymline preferences --strategy branches --min-runs 2 --with-messages --out steps.jsonl",
    "gymline preferences --votes --min-votes 2 --out pairs.jsonl",
    "gymline preferences rewards.json --margin 0.1",
  ]).action(preferences);
}

async function preferences(file: string | undefined, options: PreferenceOptions): Promise<void> {
  const plan = preferencePlan(options, file);
  if (file !== undefined) {
    const made = trajectoryPreferences(inputOfFile(file), requestOf(plan));
    await deliver(made, options);
    return;
  }
  const local = openForReading(options.store ?? "out");
  try {
    const input = await collectAttempts(local.catalog.select(selectionOf(options)), {
      layers: options.mixedLayers === true ? "any" : "same",
    });
    const votes = plan.storedVotes === undefined ? plan.votes : await votesOf(local, plan.storedVotes);
    const made = plan.branches
      ? stepPreferences(
          input,
          { ...plan.pairing, minRuns: plan.minRuns, perTask: plan.pairing.perTask },
          async (id) => decisionPath(await loadTrajectory(local.store, id)),
        )
      : trajectoryPreferences(input, requestOf({ ...plan, votes }));
    await deliver(made, options, options.withMessages === true ? local : undefined);
  } finally {
    await local.close();
  }
}

/** What the votes in the store prefer: more than half of them, of pairs with enough. */
async function votesOf(
  { store }: LocalStore,
  { minVotes }: { readonly minVotes: number },
): Promise<readonly VotedPair[]> {
  const { pairs, votes } = await storedVotes(store);
  const preferred = votedPreferences(pairs, votes, { minVotes, minAgreement: 0.5 });
  return preferred.map(({ interval: _, ...pair }) => ({ ...pair, source: "votes" }));
}

function requestOf({
  pairing,
  maxLongerShare,
  votes,
}: PreferencePlan): Parameters<typeof trajectoryPreferences>[1] {
  return { ...pairing, maxLongerShare, votes };
}

function inputOfFile(file: string): PreferenceInput {
  try {
    return attemptsOfFile(readJson(file));
  } catch (error) {
    if (error instanceof AttemptsFileError)
      throw new UsageError(`${file}: ${error.message}`, { cause: error });
    throw error;
  }
}

type Made = Preferences<Iterable<PreferenceRow> | AsyncIterable<PreferenceRow>>;

/** Writes or prints the rows as they come. Where there is none, nothing is written and the exit code says so. */
async function deliver(made: Made, options: PreferenceOptions, texts?: LocalStore): Promise<void> {
  const asJson = options.out !== undefined || options.json === true;
  const output = asJson ? await openOutput(options.out) : undefined;
  const shown: PreferenceRow[] = [];
  let summary: PreferenceSummaryDocument;
  try {
    for await (const row of made.rows) {
      if (output === undefined) {
        if (shown.length < SHOWN) shown.push(row);
      } else
        await output.write(`${JSON.stringify(texts === undefined ? row : await withTexts(row, texts))}\n`);
    }
    summary = made.summary();
    if (summary.pairs === 0) await output?.abort();
    else await output?.finish();
  } catch (error) {
    await output?.abort();
    throw error;
  }
  if (shown.length > 0) {
    out(pairTable(shown));
    if (summary.pairs > shown.length)
      out(`  … and ${many(summary.pairs - shown.length, "more pair")}: --out FILE writes all`);
    out();
  }
  const isEmpty = summary.pairs === 0;
  const text = isEmpty ? noPairsReport(summary, options.out) : preferenceReport(summary, options.out);
  if (options.json === true && options.out !== undefined) out(JSON.stringify(summary));
  else if (options.json === true || isEmpty) note(text);
  else out(text);
  if (isEmpty) process.exitCode = EXIT.rejected;
}

async function withTexts(row: PreferenceRow, { store }: LocalStore): Promise<PreferenceRow> {
  const [chosen, rejected] = [
    await loadTrajectory(store, row.chosen.id),
    await loadTrajectory(store, row.rejected.id),
  ];
  return withMessages(row, { chosen, rejected });
}
