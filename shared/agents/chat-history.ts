import { estimateTokens } from "../judge/tokens.ts";
import type { ToolChatAnswer, ToolChatMessage, ToolChatResult } from "../ports/tool-chat.ts";
import type { Observation } from "./agent.ts";
import { shortened } from "./shortened.ts";

const UNANSWERED = "This call was not carried out.";

/**
 * What one episode's model is shown. Every call gets exactly one result, as providers demand: one that an environment
 * left without is said not to have been carried out.
 */
export class ChatHistory {
  readonly #observationCharacters: number;
  #messages: readonly ToolChatMessage[] = [];
  /** Tokens of the prompt and the answer of the last turn, as the provider counted them. */
  #counted = 0;
  /** Tokens, estimated, that came and went since. */
  #since = 0;
  #forgotten = 0;

  /** `observationCharacters`: longer observations lose their middle. */
  constructor(options: { readonly observationCharacters: number }) {
    this.#observationCharacters = options.observationCharacters;
  }

  get messages(): readonly ToolChatMessage[] {
    return this.#messages;
  }

  /** Estimated tokens of the next prompt. */
  get tokens(): number {
    return this.#counted + this.#since;
  }

  /** Results that were taken out to make room. */
  get forgotten(): number {
    return this.#forgotten;
  }

  observe(observations: readonly Observation[]): void {
    const results = this.#resultsOf(observations);
    if (results.length > 0) this.#add({ role: "results", results });
    for (const each of observations) {
      if (each.kind === "user") this.#add({ role: "user", text: this.#cut(each.text) });
    }
  }

  answer(answer: ToolChatAnswer): void {
    const { input, cacheRead, cacheWrite, output } = answer.usage;
    this.#messages = [...this.#messages, { role: "assistant", answer }];
    const told = input + cacheRead + cacheWrite;
    // A server that tells no usage leaves the estimate standing.
    if (told === 0) this.#since += estimateTokens(answer.text);
    else {
      this.#counted = told + output;
      this.#since = 0;
    }
  }

  /**
   * Takes out the oldest results, but none of the last turn, until so many tokens are free; gives false where nothing
   * was left to take out.
   */
  forget(tokens: number): boolean {
    const last = this.#messages.findLastIndex(({ role }) => role === "results");
    let freed = 0;
    let some = false;
    this.#messages = this.#messages.map((message, index) => {
      if (message.role !== "results" || index >= last) return message;
      const results = message.results.map((result) => {
        const note = `[This result of ${result.text.length} characters was taken out to make room.]`;
        const gain = estimateTokens(result.text) - estimateTokens(note);
        if (freed >= tokens || gain <= 0) return result;
        freed += gain;
        some = true;
        this.#forgotten += 1;
        return { ...result, text: note };
      });
      return { ...message, results };
    });
    this.#since -= freed;
    return some;
  }

  /** Tokens, estimated, of the results that `forget` could take out. */
  get forgettable(): number {
    const last = this.#messages.findLastIndex(({ role }) => role === "results");
    return this.#messages
      .slice(0, Math.max(0, last))
      .flatMap((message) => (message.role === "results" ? message.results : []))
      .reduce((sum, { text }) => sum + estimateTokens(text), 0);
  }

  #resultsOf(observations: readonly Observation[]): readonly ToolChatResult[] {
    const last = this.#messages.at(-1);
    const calls = last?.role === "assistant" ? last.answer.calls : [];
    return calls.map(({ id }) => {
      const found = observations.find((each) => each.kind === "result" && each.callId === id);
      return found?.kind === "result"
        ? { callId: id, text: this.#cut(found.text), isError: found.isError }
        : { callId: id, text: UNANSWERED, isError: true };
    });
  }

  #add(message: Exclude<ToolChatMessage, { readonly role: "assistant" }>): void {
    this.#messages = [...this.#messages, message];
    const texts = message.role === "user" ? [message.text] : message.results.map(({ text }) => text);
    for (const text of texts) this.#since += estimateTokens(text);
  }

  #cut(text: string): string {
    return shortened(text, this.#observationCharacters);
  }
}
