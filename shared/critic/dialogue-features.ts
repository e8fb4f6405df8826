import { looksEndedBadly, looksLikeToolError } from "../reward/failure-text.ts";
import { drawsRefusal } from "../reward/signals/ending.ts";
import type { CriticStep } from "./critic-step.ts";
import { type FeatureGroup, type FeatureGroupSpec, flag, logOf, RecentMean, share } from "./feature-group.ts";
import { fencedBlocks } from "./fenced-blocks.ts";
import { changesService } from "./service-tools.ts";

const recent = 3;
/** Longer replies are told apart by their beginning. */
const compared = 2_000;
const handingOver = /transfer|escalat|handoff|hand_off/i;

/** What is said and answered without calls, and what tools of services are used for. */
export const dialogueFeatures: FeatureGroupSpec = {
  features: [
    ["refused_steps_share", "share of steps that were answered by a refusal in words", "down"],
    ["refused_step_last", "the last step was", "down"],
    ["replies", "ln(1 + messages of the user or harness after a step)", "down", "relative"],
    ["replies_per_step", "such messages ÷ steps, at most 5"],
    ["reply_mean", "mean of ln(1 + characters of such a message)"],
    ["reply_last", "ln(1 + characters of the last such message)"],
    ["replies_repeated_share", "share of such messages that an earlier one equals", "down"],
    ["replies_repeated_recent", "the same over the last 3", "down"],
    ["replies_error_share", "share of such messages that read like an error", "down"],
    ["reply_error_last", "the last such message reads like an error", "down"],
    ["replied_last", "the last step was answered by such a message"],
    ["code_share", "share of steps without a call that have a fenced block"],
    ["code_blocks", "ln(1 + fenced blocks in steps without a call)", "down"],
    ["code_size", "ln(1 + characters of those blocks)", "down"],
    ["code_last_size", "ln(1 + characters of the blocks of the last step that has any)"],
    ["code_blocks_repeated_share", "share of those blocks that an earlier one equals", "down"],
    ["said_last", "ln(1 + characters of the last message in a step without a call)", "down", "relative"],
    ["said_mean", "mean of the same", "down", "relative"],
    ["said_repeated_share", "share of messages in steps without a call that an earlier one equals", "down"],
    ["service_looks", "ln(1 + calls of unknown tools whose name says that they only look)", "down"],
    ["service_changes", "ln(1 + calls of other unknown tools)", "down"],
    ["service_changes_failed", "ln(1 + the latter that failed)", "down"],
    ["service_change_last", "the last call of an unknown tool was one of the latter"],
    ["service_looks_before_change", "ln(1 + looks before the first of them, or up to now without one)"],
    ["handed_over", "a call handed the task over to somebody else"],
  ],
  create: () => new DialogueGroup(),
};

class DialogueGroup implements FeatureGroup {
  #steps = 0;
  #refusals = 0;
  #refused = false;
  readonly #replies = new Replies();
  readonly #said = new Said();
  readonly #service = new Service();

  add(step: CriticStep): void {
    this.#steps++;
    this.#replies.add(step.facts.replies);
    this.#refused = drawsRefusal(step.facts);
    if (this.#refused) this.#refusals++;
    if (step.facts.calls.length === 0) this.#said.add(step.message);
    for (const call of step.facts.calls) {
      if (call.role === "tool") this.#service.add(call.view.at.tool, call.failed === true);
    }
  }

  values(): readonly number[] {
    return [
      share(this.#refusals, this.#steps),
      flag(this.#refused),
      ...this.#replies.values(this.#steps),
      ...this.#said.values(),
      ...this.#service.values(),
    ];
  }
}

class Replies {
  #count = 0;
  #sum = 0;
  #last = 0;
  #repeated = 0;
  #errors = 0;
  #lastError = false;
  #answered = false;
  readonly #recent = new RecentMean(recent);
  readonly #seen = new Set<string>();

  add(replies: readonly string[]): void {
    this.#answered = replies.length > 0;
    for (const reply of replies) {
      this.#count++;
      this.#last = logOf(reply.length);
      this.#sum += this.#last;
      const key = reply.slice(0, compared);
      const isRepeated = this.#seen.has(key);
      this.#seen.add(key);
      if (isRepeated) this.#repeated++;
      this.#recent.add(flag(isRepeated));
      this.#lastError = looksLikeToolError(reply) || looksEndedBadly(reply);
      if (this.#lastError) this.#errors++;
    }
  }

  values(steps: number): readonly number[] {
    return [
      logOf(this.#count),
      Math.min(5, share(this.#count, steps)),
      share(this.#sum, this.#count),
      this.#last,
      share(this.#repeated, this.#count),
      this.#recent.mean(),
      share(this.#errors, this.#count),
      flag(this.#lastError),
      flag(this.#answered),
    ];
  }
}

/** Steps without a call. */
class Said {
  #steps = 0;
  #withCode = 0;
  #blocks = 0;
  #size = 0;
  #lastSize = 0;
  #repeatedBlocks = 0;
  readonly #seenBlocks = new Set<string>();
  #last = 0;
  #sum = 0;
  #repeated = 0;
  readonly #seen = new Set<string>();

  add(message: string): void {
    this.#steps++;
    this.#last = logOf(message.length);
    this.#sum += this.#last;
    if (this.#seen.has(message)) this.#repeated++;
    this.#seen.add(message);
    const blocks = fencedBlocks(message);
    if (blocks.length === 0) return;
    this.#withCode++;
    this.#blocks += blocks.length;
    this.#lastSize = 0;
    for (const block of blocks) {
      this.#lastSize += block.length;
      if (this.#seenBlocks.has(block)) this.#repeatedBlocks++;
      this.#seenBlocks.add(block);
    }
    this.#size += this.#lastSize;
  }

  values(): readonly number[] {
    return [
      share(this.#withCode, this.#steps),
      logOf(this.#blocks),
      logOf(this.#size),
      logOf(this.#lastSize),
      share(this.#repeatedBlocks, this.#blocks),
      this.#last,
      share(this.#sum, this.#steps),
      share(this.#repeated, this.#steps),
    ];
  }
}

/** Tools that no profile knows, as agents of services have. */
class Service {
  #looks = 0;
  #changes = 0;
  #failed = 0;
  #lastChanges = false;
  #looksBefore = 0;
  #handedOver = false;

  add(tool: string, failed: boolean): void {
    if (handingOver.test(tool)) this.#handedOver = true;
    this.#lastChanges = changesService(tool);
    if (this.#lastChanges) {
      this.#changes++;
      if (failed) this.#failed++;
    } else {
      this.#looks++;
      if (this.#changes === 0) this.#looksBefore++;
    }
  }

  values(): readonly number[] {
    return [
      logOf(this.#looks),
      logOf(this.#changes),
      logOf(this.#failed),
      flag(this.#lastChanges),
      logOf(this.#looksBefore),
      flag(this.#handedOver),
    ];
  }
}
