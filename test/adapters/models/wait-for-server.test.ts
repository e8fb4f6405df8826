import { createServer } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../../shared/adapters/local/system-clock.ts";
import { systemTimers } from "../../../shared/adapters/local/system-timers.ts";
import { ModelServerError, waitForServer } from "../../../shared/adapters/models/wait-for-server.ts";

/** A server that is ready at the n-th question, as one that loads weights first. */
async function loadingServer(readyAt: number, models: readonly string[] = ["m"]) {
  let asked = 0;
  const server = createServer((request, response) => {
    if (request.url === "/v1/models") {
      return response.end(JSON.stringify({ object: "list", data: models.map((id) => ({ id })) }));
    }
    asked += 1;
    response.statusCode = request.url === "/health" && asked >= readyAt ? 200 : 503;
    return response.end();
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return { url: `http://127.0.0.1:${port}`, asked: () => asked };
}

const base = { model: "m", everyMs: 5, patienceMs: 5000, clock: systemClock, timers: systemTimers };

describe("waiting for a model's server", () => {
  it("asks until it is ready", async () => {
    const { url, asked } = await loadingServer(4);
    await waitForServer({ ...base, url });
    expect(asked()).toBe(4);
  });

  it("says what it last heard once its patience is over", async () => {
    const { url } = await loadingServer(Number.POSITIVE_INFINITY);
    const late = waitForServer({ ...base, url, patienceMs: 20 });
    await expect(late).rejects.toThrow(/not ready after 0 s: it answers 503/);
    await expect(late).rejects.toThrow(ModelServerError);
    const nobody = waitForServer({ ...base, url: "http://127.0.0.1:65321", patienceMs: 20 });
    await expect(nobody).rejects.toThrow(/does not answer \(ECONNREFUSED\)/);
  });

  it("does not take another model for the one that is wanted", async () => {
    const { url } = await loadingServer(1, ["other"]);
    await expect(waitForServer({ ...base, url })).rejects.toThrow(/does not serve m but other/);
  });

  it("ends at once with the signal", async () => {
    const { url } = await loadingServer(Number.POSITIVE_INFINITY);
    const stop = new AbortController();
    const waiting = waitForServer({
      ...base,
      url,
      everyMs: 60_000,
      patienceMs: 600_000,
      signal: stop.signal,
    });
    setTimeout(() => stop.abort(new Error("stopped")), 30);
    await expect(waiting).rejects.toThrow("stopped");
  });
});
