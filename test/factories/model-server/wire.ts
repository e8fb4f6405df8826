import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import type { Fault } from "./replies.ts";

/** What a route gives: JSON, lines of JSON, or an error in the words of its provider. */
export interface WireAnswer {
  readonly status: number;
  readonly type: "application/json" | "application/x-jsonl";
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function jsonAnswer(
  body: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): WireAnswer {
  return { status, type: "application/json", body: JSON.stringify(body), headers };
}

/** An error as the provider of the route words it. */
export function errorAnswer(
  path: string,
  error: {
    readonly status: number;
    readonly type: string;
    readonly message: string;
    readonly headers?: Readonly<Record<string, string>>;
  },
): WireAnswer {
  const { type, message, status, headers } = error;
  const body = path.startsWith("/v1/chat/")
    ? { error: { message, type, param: null, code: null } }
    : { type: "error", error: { type, message }, request_id: "req_scripted" };
  return jsonAnswer(body, status, headers);
}

/** @throws SyntaxError */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const body = await text(request);
  return body === "" ? null : JSON.parse(body);
}

export function send(response: ServerResponse, answer: WireAnswer): void {
  response.writeHead(answer.status, {
    "content-type": answer.type,
    "request-id": "req_scripted",
    "x-request-id": "req_scripted",
    ...answer.headers,
  });
  response.end(answer.body);
}

/** Sends what would have been a good answer, damaged. */
export function sendDamaged(
  response: ServerResponse,
  options: { readonly kind: Exclude<Fault["kind"], "status">; readonly good: WireAnswer },
): void {
  const { kind, good } = options;
  if (kind === "silence") return;
  if (kind === "reset") {
    response.socket?.destroy();
    return;
  }
  if (kind === "malformed" || kind === "misshapen") {
    const body = kind === "malformed" ? `<html>${good.body}` : '{"hello":"world"}';
    send(response, { ...good, body });
    return;
  }
  const half = good.body.slice(0, Math.ceil(good.body.length / 2));
  response.writeHead(good.status, {
    "content-type": good.type,
    "content-length": Buffer.byteLength(good.body),
  });
  response.write(half, () => {
    // The half that came must be on its way before the connection goes.
    if (kind === "cut") setTimeout(() => response.socket?.destroy(), 5);
  });
}
