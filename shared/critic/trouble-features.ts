import type { CallFacts } from "../reward/call-facts.ts";
import type { CriticStep } from "./critic-step.ts";
import {
  type FeatureGroup,
  type FeatureGroupSpec,
  flag,
  logOf,
  RecentMean,
  Streak,
  share,
} from "./feature-group.ts";

const recent = 5;
const recentRepeats = 10;

/** Calls that failed, and calls that ask again for what was asked before. */
export const troubleFeatures: FeatureGroupSpec = {
  features: [
    ["failed", "ln(1 + calls that failed)", "down"],
    ["failed_share", "calls that failed ÷ calls of which it is known", "down"],
    ["failed_recent", "the same over the last 5 calls of which it is known", "down"],
    ["failed_last", "the last call failed", "down"],
    ["failed_streak", "ln(1 + calls that failed one after another, up to now)", "down"],
    ["failed_streak_longest", "ln(1 + the longest such row)", "down"],
    ["failed_known_share", "share of calls of which it is known whether they failed"],
    ["commands_failed_share", "commands that failed ÷ commands of which it is known", "down"],
    ["looks_failed_share", "reads and searches that failed or found nothing ÷ reads and searches", "down"],
    ["repeats", "ln(1 + calls equal to an earlier one)", "down"],
    ["repeats_share", "share of calls equal to an earlier one", "down"],
    [
      "repeats_same_answer_share",
      "share of calls equal to an earlier one whose last answer was the same too",
      "down",
    ],
    ["near_repeats_share", "share of calls nearly equal to an earlier one", "down"],
    ["near_repeats_recent", "the same over the last 10 calls", "down"],
    ["near_repeats_most", "ln(1 + calls nearly equal to the one that was made most often)", "down"],
    [
      "loop_streak",
      "ln(1 + calls in a row, up to now, that are nearly equal to one of the three before)",
      "down",
    ],
    ["loop_streak_longest", "ln(1 + the longest such row)", "down"],
  ],
  create: () => new TroubleGroup(),
};

class TroubleGroup implements FeatureGroup {
  readonly #failures = new Failures();
  readonly #repeats = new Repeats();

  add({ facts: step }: CriticStep): void {
    for (const call of step.calls) {
      this.#failures.add(call);
      this.#repeats.add(call);
    }
  }

  values(): readonly number[] {
    return [...this.#failures.values(), ...this.#repeats.values()];
  }
}

class Failures {
  #calls = 0;
  #known = 0;
  #failed = 0;
  #lastFailed = false;
  readonly #recent = new RecentMean(recent);
  readonly #streak = new Streak();
  #commands = 0;
  #commandsFailed = 0;
  #looks = 0;
  #looksFailed = 0;

  add({ view, role, failed }: CallFacts): void {
    this.#calls++;
    this.#lastFailed = failed === true;
    if (failed !== null) {
      this.#known++;
      if (failed) this.#failed++;
      this.#recent.add(flag(failed));
      this.#streak.add(failed);
    }
    if (role === "command" && failed !== null) {
      this.#commands++;
      if (failed) this.#commandsFailed++;
    }
    if (role === "read" || role === "search") {
      this.#looks++;
      if (failed === true || view.at.output.trim() === "") this.#looksFailed++;
    }
  }

  values(): readonly number[] {
    return [
      logOf(this.#failed),
      share(this.#failed, this.#known),
      this.#recent.mean(),
      flag(this.#lastFailed),
      logOf(this.#streak.now),
      logOf(this.#streak.longest),
      share(this.#known, this.#calls),
      share(this.#commandsFailed, this.#commands),
      share(this.#looksFailed, this.#looks),
    ];
  }
}

class Repeats {
  #calls = 0;
  #equal = 0;
  #sameAnswer = 0;
  #near = 0;
  #most = 0;
  /** Call → its last output. */
  readonly #answers = new Map<string, string>();
  readonly #nearCounts = new Map<string, number>();
  readonly #recent = new RecentMean(recentRepeats);
  readonly #streak = new Streak();
  readonly #before: string[] = [];

  add({ view, near }: CallFacts): void {
    this.#calls++;
    const answer = this.#answers.get(view.key);
    if (answer !== undefined) this.#equal++;
    if (answer === view.at.output) this.#sameAnswer++;
    this.#answers.set(view.key, view.at.output);
    const count = (this.#nearCounts.get(near) ?? 0) + 1;
    this.#nearCounts.set(near, count);
    this.#most = Math.max(this.#most, count);
    if (count > 1) this.#near++;
    this.#recent.add(flag(count > 1));
    this.#streak.add(this.#before.includes(near));
    this.#before.push(near);
    if (this.#before.length > 3) this.#before.shift();
  }

  values(): readonly number[] {
    return [
      logOf(this.#equal),
      share(this.#equal, this.#calls),
      share(this.#sameAnswer, this.#calls),
      share(this.#near, this.#calls),
      this.#recent.mean(),
      logOf(this.#most),
      logOf(this.#streak.now),
      logOf(this.#streak.longest),
    ];
  }
}
