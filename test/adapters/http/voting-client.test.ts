import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  VotingClient,
  type VotingClientOptions,
  VotingServiceError,
} from "../../../shared/adapters/http/voting-client.ts";
import type { VotePage } from "../../../shared/ports/voting-service.ts";
import { type Pair, pairSchema } from "../../../shared/votes/vote.ts";
import { idOf } from "../../factories/catalog-rows.ts";
import { inTurn, json, status, votingServer } from "./voting-server.ts";

const bodySchema = z.object({ schema: z.literal("gymline.pairs.v1"), pairs: z.array(pairSchema) });

function makePairs(count: number, text = "text"): readonly Pair[] {
  return Array.from({ length: count }, (_, index) => ({
    schema: "gymline.pair.v1",
    pair_id: idOf(`pair ${index}`),
    task_id: "task",
    task: "Do it.",
    left: { trajectory_id: idOf("a"), steps: 1, text },
    right: { trajectory_id: idOf("b"), steps: 1, text },
  }));
}

function client(url: string, more: Partial<VotingClientOptions> = {}): VotingClient {
  return new VotingClient({ url, delayMs: 1, ...more });
}

async function pages(from: VotingClient, since?: string): Promise<readonly VotePage[]> {
  const found: VotePage[] = [];
  for await (const page of from.votes(since)) found.push(page);
  return found;
}

describe("pairs that are pushed", () => {
  it("go in batches of at most 100, each once, with the token", async () => {
    const { url, asked } = await votingServer((response) => json(response, {}));
    await client(url, { token: "t0k" }).push(makePairs(250));
    expect(asked.map(({ method, url: path }) => `${method} ${path}`)).toEqual(
      Array(3).fill("POST /api/pairs"),
    );
    expect(new Set(asked.map(({ headers }) => headers.authorization))).toEqual(new Set(["Bearer t0k"]));
    const sent = asked.map(({ body }) => bodySchema.parse(JSON.parse(body)).pairs);
    expect(sent.map((each) => each.length)).toEqual([100, 100, 50]);
    expect(sent.flat()).toEqual(makePairs(250));
  });

  it("go in smaller batches where they are large, and not at all where there are none", async () => {
    const { url, asked } = await votingServer((response) => json(response, {}));
    await client(url).push([]);
    await client(url).push(makePairs(10, "é".repeat(400_000)));
    expect(asked.map(({ body }) => bodySchema.parse(JSON.parse(body)).pairs.length)).toEqual([2, 2, 2, 2, 2]);
  });

  it("are sent again after faults that pass", async () => {
    const { url, asked } = await votingServer(
      inTurn(status(503), status(429, { "retry-after": "0" }), (response) => response.destroy(), status(204)),
    );
    await client(url).push(makePairs(1));
    expect(asked).toHaveLength(4);
    expect(new Set(asked.map(({ body }) => body)).size).toBe(1);
  });

  it.each([400, 401, 404, 413, 422])("are not sent again after status %i", async (code) => {
    const { url, asked } = await votingServer(status(code));
    const push = client(url).push(makePairs(1));
    await expect(push).rejects.toThrow(VotingServiceError);
    await expect(push).rejects.toMatchObject({ status: code });
    await expect(push).rejects.not.toThrow("secret");
    expect(asked).toHaveLength(1);
  });

  it("fail in the end, naming address and status", async () => {
    const { url, asked } = await votingServer(status(500));
    await expect(client(url, { tries: 3 }).push(makePairs(1))).rejects.toThrow(
      `POST ${url}/pairs was answered with status 500; try again later`,
    );
    expect(asked).toHaveLength(3);
  });
});

describe("votes that are pulled", () => {
  it("come page by page until there are none, from where they are asked for", async () => {
    const { url, asked } = await votingServer((response, { url: path }) => {
      const since = Number(new URL(path, "http://x").searchParams.get("since") ?? "0");
      json(
        response,
        since < 3 ? { votes: [{ n: since }], next: String(since + 1) } : { votes: [], next: "3" },
      );
    });
    expect((await pages(client(url))).map(({ next }) => next)).toEqual(["1", "2", "3", "3"]);
    expect((await pages(client(url), "2")).flatMap(({ votes }) => votes)).toEqual([{ n: 2 }]);
    expect(asked.map((each) => each.url)).toEqual([
      "/api/votes",
      ...["1", "2", "3", "2", "3"].map((cursor) => `/api/votes?since=${cursor}`),
    ]);
  });

  it("end where the service names no next place", async () => {
    const { url, asked } = await votingServer((response) => json(response, { votes: [1], next: null }));
    expect(await pages(client(url))).toEqual([{ votes: [1], next: null }]);
    expect(asked).toHaveLength(1);
  });

  it("may be asked for with any cursor", async () => {
    const { url, asked } = await votingServer((response) => json(response, { votes: [], next: null }));
    await pages(client(url), "a&b=c/?#é");
    expect(new URL(asked[0]?.url ?? "", "http://x").searchParams.get("since")).toBe("a&b=c/?#é");
  });

  it("do not go round in circles", async () => {
    const { url } = await votingServer((response) => json(response, { votes: [1], next: "same" }));
    await expect(pages(client(url))).rejects.toThrow("the same cursor again");
  });

  it.each([
    ["no JSON", "<html>"],
    ["other JSON", '{"items":[]}'],
    ["a list", "[]"],
    ["a cursor that is none", '{"votes":[],"next":{}}'],
  ])("that are %s are a fault that names the contract", async (_, body) => {
    const { url } = await votingServer((response) => response.end(body));
    await expect(pages(client(url))).rejects.toThrow("docs/VOTES.md");
  });

  it("that are too many bytes are not read to the end", async () => {
    const { url } = await votingServer((response) =>
      json(response, { votes: ["x".repeat(10_000)], next: null }),
    );
    await expect(pages(client(url, { maxAnswerBytes: 1000 }))).rejects.toThrow("smaller pages");
  });
});

describe("a service that takes its time", () => {
  it("is asked again once a request took too long, and given up in the end", async () => {
    const { url, asked } = await votingServer(
      inTurn(
        () => undefined,
        (response) => json(response, { votes: [], next: null }),
      ),
    );
    expect(await pages(client(url, { timeoutMs: 100 }))).toHaveLength(1);
    expect(asked).toHaveLength(2);
    const silent = await votingServer(() => undefined);
    const faulty = pages(client(silent.url, { timeoutMs: 50, tries: 2 }));
    await expect(faulty).rejects.toThrow("it took too long");
  });

  it("is asked again where its answer stops in the middle", async () => {
    const { url, asked } = await votingServer(
      inTurn(
        (response) => {
          response.writeHead(200, { "content-length": "100" });
          response.write('{"votes":');
          setTimeout(() => response.destroy(), 10);
        },
        (response) => json(response, { votes: [], next: null }),
      ),
    );
    expect(await pages(client(url))).toHaveLength(1);
    expect(asked).toHaveLength(2);
  });

  it("is left alone for as long as it says", async () => {
    const { url, asked } = await votingServer(inTurn(status(429, { "retry-after": "1" }), status(204)));
    const start = performance.now();
    await client(url).push(makePairs(1));
    expect(performance.now() - start).toBeGreaterThan(950);
    expect(asked).toHaveLength(2);
  });

  it("is not waited for longer than a command may take; a date counts as well", async () => {
    for (const after of ["3600", new Date(Date.now() + 3_600_000).toUTCString()]) {
      const { url, asked } = await votingServer(status(503, { "retry-after": after }));
      await expect(client(url).push(makePairs(1))).rejects.toThrow(/asks to wait for 3[56]\d\d seconds/);
      expect(asked).toHaveLength(1);
    }
  });

  it("that is not there is named with the reason", async () => {
    const there = await votingServer(status(200));
    const port = new URL(there.url).port;
    const gone = client(`http://127.0.0.1:${port === "1" ? 2 : 1}/`, { tries: 2 });
    await expect(gone.push(makePairs(1))).rejects.toThrow(/got no answer: .+; check the address/);
  });
});

describe("the address of a voting service", () => {
  it.each([
    "votes.example.org",
    "ftp://votes.example.org",
    "https://u:p@votes.example.org",
    "https://v.example.org/?a=1",
  ])("%s is refused", (url) => {
    expect(() => client(url)).toThrow(VotingServiceError);
  });

  it("without encryption gets no token, unless it is this machine", () => {
    expect(() => client("http://votes.example.org", { token: "t" })).toThrow("unencrypted");
    for (const url of [
      "http://localhost:80",
      "http://127.0.0.1",
      "http://[::1]:8080",
      "https://v.example.org",
    ]) {
      expect(() => client(url, { token: "t" })).not.toThrow();
    }
  });

  it("that redirects is not followed, so the token stays where it belongs", async () => {
    const other = await votingServer((response) => json(response, { votes: [], next: null }));
    const { url } = await votingServer(status(307, { location: `${other.url}/votes` }));
    await expect(pages(client(url, { token: "t" }))).rejects.toThrow("status 307; give the address");
    expect(other.asked).toEqual([]);
  });
});
