import type { AnswerReply, Fault, Reply } from "./replies.ts";
import { answer } from "./replies.ts";
import { jsonAnswer, type WireAnswer } from "./wire.ts";

export type Route =
  | "messages"
  | "chat"
  | "batch-create"
  | "batch-state"
  | "batch-list"
  | "batch-results"
  | "batch-cancel";

/** What a route gives, and what goes wrong with it on its way. */
export interface Given {
  readonly good: WireAnswer;
  readonly damage: Fault | null;
  readonly delayMs: number;
}

export function routeOf(method: string, path: string): Route | null {
  if (path === "/v1/messages" && method === "POST") return "messages";
  if (path === "/v1/chat/completions" && method === "POST") return "chat";
  const match = /^\/v1\/messages\/batches(?:\/[^/]+(\/results|\/cancel)?)?$/.exec(path);
  if (match === null) return null;
  if (path === "/v1/messages/batches") {
    return method === "POST" ? "batch-create" : method === "GET" ? "batch-list" : null;
  }
  if (match[1] === "/cancel") return method === "POST" ? "batch-cancel" : null;
  if (method !== "GET") return null;
  return match[1] === "/results" ? "batch-results" : "batch-state";
}

/** Null: there is no such thing. */
export function plainly(body: unknown): Given {
  const missing = {
    type: "error",
    error: { type: "not_found_error", message: "Not found" },
    request_id: "req",
  };
  const good = body === null ? jsonAnswer(missing, 404) : jsonAnswer(body);
  return { good, damage: null, delayMs: 0 };
}

export function replied(reply: Reply, shown: (given: AnswerReply) => unknown): Given {
  switch (reply.kind) {
    case "expired":
    case "canceled":
      throw new Error(`Only a request in a batch can end as ${reply.kind}`);
    case "answer":
      return { good: jsonAnswer(shown(reply)), damage: null, delayMs: reply.delayMs };
    case "status":
      return { good: jsonAnswer(null), damage: reply, delayMs: 0 };
    default:
      // A damaged answer is a good one that went wrong on its way.
      return { good: jsonAnswer(shown(answer({}))), damage: reply, delayMs: 0 };
  }
}
