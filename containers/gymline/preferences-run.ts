import { type LocalStore, openForReading } from "../../shared/adapters/local/local-store.ts";
import { collectAttempts } from "../../shared/preferences/collect-attempts.ts";
import { decisionPath } from "../../shared/preferences/decision-path.ts";
import {
  type PreferenceInput,
  type Preferences,
  stepPreferences,
  trajectoryPreferences,
} from "../../shared/preferences/make-preferences.ts";
import { withMessages } from "../../shared/preferences/pair-messages.ts";
import type { PreferenceRow } from "../../shared/preferences/preference-row.ts";
import { AttemptsFileError, attemptsOfFile } from "../../shared/preferences/reference-file.ts";
import type { PreferenceSummaryDocument } from "../../shared/preferences/summary.ts";
import type { VotedPair } from "../../shared/preferences/votes.ts";
import { storedVotes } from "../../shared/stages/store-votes.ts";
import { votedPreferences } from "../../shared/votes/voted-preferences.ts";
import { EXIT } from "./exit-code.ts";
import { openOutput } from "./output.ts";
import { type PreferenceOptions, type PreferencePlan, preferencePlan } from "./preference-options.ts";
import { noPairsReport, pairTable, preferenceReport } from "./preference-report.ts";
import { selectionOf } from "./selection-options.ts";
import { readJson } from "./settings.ts";
import { loadTrajectory } from "./store-access.ts";
import { many, note, out } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

/** Pairs that the terminal shows where no file is asked for. */
const SHOWN = 20;

export async function preferences(file: string | undefined, options: PreferenceOptions): Promise<void> {
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
