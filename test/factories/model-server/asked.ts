import type { Reply } from "./replies.ts";

/** A request as the script sees it, alike for all APIs. */
export interface Asked {
  readonly api: "messages" | "batch" | "chat";
  readonly model: string;
  readonly system: string;
  readonly turns: readonly { readonly role: string; readonly content: string }[];
  /** Content of the last turn. */
  readonly text: string;
  /** Names of the tools on offer. */
  readonly tools: readonly string[];
  /** Results of calls in the last turn, in order. */
  readonly results: readonly { readonly id: string; readonly text: string }[];
  /** The schema the answer must have, as it came over the wire. */
  readonly schema: Readonly<Record<string, unknown>> | null;
  /** How the request asks for JSON. */
  readonly structured: "native" | "tool" | "json_schema" | "json_object" | null;
  readonly maxTokens: number;
  readonly temperature: number | null;
  /** Of a request in a batch. */
  readonly customId: string | null;
  /** Valid requests that came before it, those in batches among them. */
  readonly nth: number;
  /** How often the very same request came before it. */
  readonly repeats: number;
}

export type Script = (asked: Asked) => Reply | Promise<Reply>;

/** One call over HTTP, whether it was valid or not. */
export interface RecordedCall {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Parsed JSON; null where there was none. */
  readonly body: unknown;
  /** Milliseconds, from `performance.now()`. */
  readonly at: number;
  /** Status of the answer; null where the connection was cut before headers, or still hangs. */
  status: number | null;
}

/** What a wire format gives the script, before the server adds the counts. */
export type Question = Omit<Asked, "nth" | "repeats">;

export function tokensOf(text: string): number {
  return Math.ceil(text.length / 4);
}

/** Cuts a text at so many tokens, as the server counts them. */
export function cutAt(text: string, tokens: number): { readonly text: string; readonly cut: boolean } {
  return tokensOf(text) <= tokens ? { text, cut: false } : { text: text.slice(0, tokens * 4), cut: true };
}
