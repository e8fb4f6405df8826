import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { VotingClient } from "../../../shared/adapters/http/voting-client.ts";
import type { LocalStore } from "../../../shared/adapters/local/local-store.ts";
import { openForReading } from "../../../shared/adapters/local/local-store.ts";
import { pullVotes, takeVotes, type VotesTaken } from "../../../shared/stages/pull-votes.ts";
import { storedVotes, storePair } from "../../../shared/stages/store-votes.ts";
import { type Candidate, type ChosenPair, chooseUncertainPairs } from "../../../shared/votes/choose-pairs.ts";
import { pairDocument } from "../../../shared/votes/pair-document.ts";
import { type RefusedVote, readVoteLines } from "../../../shared/votes/read-votes.ts";
import type { Pair } from "../../../shared/votes/vote.ts";
import { wholeNumber } from "../deployment.ts";
import { EXIT } from "../exit-code.ts";
import { seedOf } from "../numbers.ts";
import { examples, storeOption } from "../options.ts";
import { openOutput } from "../output.ts";
import { type SelectionOptions, selectionOf, selectionOptions } from "../selection-options.ts";
import { loadTrajectory, writableStore } from "../store-access.ts";
import { many, note, out, printable } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

interface PairOptions extends SelectionOptions {
  readonly store: string;
  readonly band: string;
  readonly perTask: string;
  readonly limit?: string;
  readonly seed: string;
}

const TOKEN = "GYMLINE_VOTES_TOKEN";

export function addVotes(program: Command): void {
  const votes = program
    .command("votes")
    .description("let people or judges vote which of two attempts is better; docs/VOTES.md has the contract");
  examples(votes, [
    "gymline votes push --store out --to https://votes.example.org/api",
    "gymline votes pull --store out --from https://votes.example.org/api",
    "gymline votes show --store out",
  ]);
  const push = votes
    .command("push")
    .description(`hand the pairs that the reward is least sure of to a voting service; token: ${TOKEN}`)
    .requiredOption("--to <url>", "address of the service");
  pairOptions(push).action(pushPairs);
  const pull = votes
    .command("pull")
    .description(`take in the votes that came in since the last time; token: ${TOKEN}`)
    .requiredOption("--from <url>", "address of the service")
    .option("--from-start", "read all votes again")
    .option("--json", "print JSON");
  storeOption(pull).action(pullNew);
  const save = votes
    .command("export")
    .description("write the pairs to a file instead, for a service without a network")
    .argument("<pairs.jsonl>");
  pairOptions(save).action(exportPairs);
  const load = votes
    .command("import")
    .description("take in votes from files, one JSON object a line")
    .argument("<files...>")
    .option("--json", "print JSON");
  storeOption(load).action(importVotes);
  const show = votes
    .command("show")
    .description("say what the votes prefer, and how far voters agree")
    .option("--strengths", "also how strong the votes find each attempt (Bradley-Terry)")
    .option("--seed <n>", "of the bootstrap", "1")
    .option("--json", "print JSON");
  storeOption(show).action(showVotes);
}

function pairOptions(command: Command): Command {
  command
    .option("--band <x>", "largest difference of reward of a pair", "0.15")
    .option("--per-task <n>", "at most so many pairs of a task, the closest first", "3")
    .option("--limit <n>", "at most so many pairs in all, the closest first")
    .option("--seed <n>", "draws sides, and the order of equally close pairs", "1")
    .option("--json", "print JSON");
  return selectionOptions(storeOption(command));
}

async function pushPairs(
  options: PairOptions & { readonly to: string; readonly json?: boolean },
): Promise<void> {
  const client = clientFor(options.to);
  const made = await inStore(options.store, (local) => makePairs(local, options));
  await client.push(made.pairs);
  report(options, made, `at ${options.to}`);
}

async function exportPairs(file: string, options: PairOptions & { readonly json?: boolean }): Promise<void> {
  const made = await inStore(options.store, (local) => makePairs(local, options));
  const output = await openOutput(file);
  try {
    for (const pair of made.pairs) await output.write(`${JSON.stringify(pair)}\n`);
    await output.finish();
  } catch (error) {
    await output.abort();
    throw error;
  }
  report(options, made, `in ${file}`);
}

interface MadePairs {
  readonly pairs: readonly Pair[];
  readonly chosen: readonly ChosenPair[];
  /** Trajectories that were looked at. */
  readonly of: number;
}

async function makePairs({ store, catalog }: LocalStore, options: PairOptions): Promise<MadePairs> {
  const band = Number(options.band);
  const seed = seedOf(options.seed);
  if (!(band >= 0 && band <= 1))
    throw new UsageError(`--band takes a number from 0 to 1, not "${options.band}"`);
  const perTask = wholeNumber("--per-task", options.perTask) ?? 3;
  const limit = wholeNumber("--limit", options.limit);
  const candidates: Candidate[] = [];
  for await (const { id, contentId, taskKey, reward } of catalog.select(selectionOf(options))) {
    candidates.push({ id, contentId, taskKey, reward });
  }
  const request = { band, perTask, seed, ...(limit === undefined ? {} : { limit }) };
  const chosen = chooseUncertainPairs(candidates, request);
  const pairs: Pair[] = [];
  for (const { record } of chosen) {
    const stored = await storePair(record, { store, catalog });
    if (stored === undefined) continue;
    const left = await loadTrajectory(store, stored.left_id);
    const right = await loadTrajectory(store, stored.right_id);
    pairs.push(pairDocument(stored, { left, right }));
  }
  return { pairs, chosen, of: candidates.length };
}

function report(
  options: PairOptions & { readonly json?: boolean },
  { pairs, chosen, of }: MadePairs,
  place: string,
): void {
  if (options.json === true) {
    const shown = chosen.map(({ record, difference }) => ({ ...record, difference }));
    out(JSON.stringify({ schema: "gymline.votes-pairs.v1", pairs: shown }));
    return;
  }
  const tasks = new Set(pairs.map((pair) => pair.task_id)).size;
  const from = many(of, "trajectory", "trajectories");
  out(`${many(pairs.length, "pair")} of ${many(tasks, "task")}, out of ${from}, ${place}`);
  if (pairs.length === 0) {
    note(`no two attempts at one task have rewards at most ${options.band} apart; a wider --band finds more`);
  }
}

async function pullNew(options: {
  readonly store: string;
  readonly from: string;
  readonly fromStart?: boolean;
  readonly json?: boolean;
}): Promise<void> {
  const { from: url } = options;
  const service = clientFor(url);
  const taken = await inStore(options.store, ({ store, catalog }) =>
    pullVotes(
      { service, url, fromStart: options.fromStart === true },
      { store, catalog, ledger: catalog.ledger },
    ),
  );
  reportTaken(options, taken);
}

async function importVotes(
  files: readonly string[],
  options: { readonly store: string; readonly json?: boolean },
): Promise<void> {
  const read = files.map((file) => readVoteLines(contentOf(file), file));
  const votes = read.flatMap((each) => each.votes);
  const refused = read.flatMap((each) => each.refused);
  const taken = await inStore(options.store, (local) => takeVotes(votes, local));
  reportTaken(options, { counts: taken.counts, refused: [...refused, ...taken.refused] });
}

function reportTaken(
  options: { readonly store: string; readonly json?: boolean },
  { counts, refused }: VotesTaken,
): void {
  if (refused.length > 0) process.exitCode = EXIT.rejected;
  if (options.json === true) {
    out(JSON.stringify({ schema: "gymline.votes-taken.v1", ...counts, refused }));
    return;
  }
  noteRefused(refused);
  const parts = [
    many(counts.added, "new vote"),
    counts.replaced === 0 ? "" : `${counts.replaced} replaced`,
    counts.unchanged === 0 ? "" : `${counts.unchanged} as before`,
    counts.outdated === 0 ? "" : `${counts.outdated} older than what the store holds`,
    counts["unknown-pair"] === 0 ? "" : `${counts["unknown-pair"]} on pairs that the store does not hold`,
    counts["other-pair"] === 0 ? "" : `${counts["other-pair"]} on other trajectories than the pair's`,
    refused.length === 0 ? "" : `${refused.length} refused`,
  ];
  out(parts.filter((part) => part !== "").join(", "));
  out(`  → see what they say: gymline votes show --store ${options.store}`);
}

/** Refusals that are printed one by one; a service may get all of its votes wrong. */
const SHOWN = 20;

function noteRefused(refused: readonly RefusedVote[]): void {
  for (const { place, reason } of refused.slice(0, SHOWN)) {
    note(`refused ${printable(place)}: ${printable(reason)}`);
  }
  if (refused.length > SHOWN) note(`… and ${refused.length - SHOWN} more`);
  if (refused.length > 0) note("  → votes are as docs/VOTES.md says; correct them where they come from");
}

async function showVotes(options: {
  readonly store: string;
  readonly strengths?: boolean;
  readonly seed: string;
  readonly json?: boolean;
}): Promise<void> {
  const seed = seedOf(options.seed);
  const local = openForReading(options.store);
  try {
    // The statistics take a while to load, which other commands need not wait for.
    const { printVotes, voteFigures } = await import("../vote-figures.ts");
    const figures = voteFigures(await storedVotes(local.store), {
      seed,
      strengths: options.strengths === true,
    });
    if (options.json === true) out(JSON.stringify({ schema: "gymline.votes.v1", ...figures }));
    else printVotes(figures);
  } finally {
    await local.close();
  }
}

async function inStore<T>(folder: string, work: (local: LocalStore) => Promise<T>): Promise<T> {
  const local = await writableStore(folder);
  try {
    return await work(local);
  } finally {
    await local.close();
  }
}

function clientFor(url: string): VotingClient {
  const token = process.env[TOKEN];
  return new VotingClient({ url, ...(token === undefined || token === "" ? {} : { token }) });
}

/** @throws UsageError */
function contentOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "unknown fault";
    throw new UsageError(`${file} cannot be read: ${why}`, { cause });
  }
}
