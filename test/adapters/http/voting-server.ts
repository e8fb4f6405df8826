import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Reply = (response: ServerResponse, asked: Asked) => void;

export interface VotingServer {
  readonly url: string;
  readonly asked: readonly Asked[];
}

/** A voting service on loopback that answers each request as `reply` says. */
export async function votingServer(reply: Reply): Promise<VotingServer> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      const one = { method, url, headers, body: Buffer.concat(pieces).toString("utf8") };
      asked.push(one);
      reply(response, one);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`, asked };
}

export function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

/** One reply after another; the last one again and again. */
export function inTurn(...replies: readonly Reply[]): Reply {
  let turn = 0;
  return (response, asked) => {
    const reply = replies[Math.min(turn, replies.length - 1)];
    turn += 1;
    reply?.(response, asked);
  };
}

export const status =
  (code: number, headers: Readonly<Record<string, string>> = {}): Reply =>
  (response) => {
    response.writeHead(code, headers).end("secret text of the service");
  };
