import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { DirectoryStore } from "../../shared/adapters/local/directory-store.ts";
import { rolloutPlanKey } from "../../shared/contracts/keys.ts";
import { trajectorySchema } from "../../shared/trajectory/schema.ts";
import { gymline } from "../cli/program.ts";
import { temporaryFolder } from "../factories/temporary.ts";

const MODEL = "Qwen/Qwen3-8B";

/** What vLLM answers to a request with `return_token_ids` and `logprobs`. */
function completion(turn: number): unknown {
  const call =
    turn === 0 ? { name: "shell", arguments: '{"command":"touch hi"}' } : { name: "submit", arguments: "{}" };
  const ids = [10 + turn, 20 + turn, 30 + turn];
  return {
    id: `chatcmpl-${turn}`,
    object: "chat.completion",
    created: 1_700_000_000,
    model: MODEL,
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: null,
          tool_calls: [{ id: `call-${turn}`, type: "function", function: call }],
        },
        logprobs: {
          content: ids.map((id) => ({
            token: `token_id:${id}`,
            logprob: -0.25,
            bytes: null,
            top_logprobs: [],
          })),
        },
        finish_reason: "tool_calls",
        token_ids: ids,
      },
    ],
    usage: { prompt_tokens: 4, completion_tokens: 3, total_tokens: 7 },
    prompt_token_ids: [1, 2, 3, 4 + turn],
  };
}

/** A server of the kind of vLLM that is ready at the second look. */
async function vllm() {
  const requests: Record<string, unknown>[] = [];
  let looks = 0;
  const server = createServer(async (request, response) => {
    response.setHeader("content-type", "application/json");
    if (request.url === "/health") {
      looks += 1;
      response.statusCode = looks > 1 ? 200 : 503;
      return response.end();
    }
    if (request.url === "/v1/models") {
      return response.end(JSON.stringify({ object: "list", data: [{ id: MODEL, object: "model" }] }));
    }
    if (request.url !== "/v1/chat/completions") {
      response.statusCode = 404;
      return response.end();
    }
    requests.push({ ...((await json(request)) as object) });
    return response.end(JSON.stringify(completion(requests.length - 1)));
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return { url: `http://127.0.0.1:${port}`, requests };
}

describe("a rollout with a model's server beside the agent", () => {
  it("waits until the server is ready and records exact tokens and their log-probs", async () => {
    const server = await vllm();
    const cwd = temporaryFolder("rollout");
    const task = `${JSON.stringify({ id: "a", description: "say hi", test_command: "test -e hi" })}\n`;
    writeFileSync(join(cwd, "tasks.jsonl"), task);
    const shown = await gymline(
      [
        ...["rollout", "--cloud", "--gpu", "--env", "gymline/sandbox", "--agent", "openai-compatible"],
        ...["--model", MODEL, "--tasks", "tasks.jsonl", "--run", "g", "--seed", "1"],
        ...["--backend", "process-unisolated", "--dry-run", "--json"],
      ],
      { cwd },
    );
    expect(JSON.parse(shown.stdout).agent).toEqual({
      ...{ kind: "model", provider: "openai-compatible", model: MODEL, tokens: true },
    });
    const store = new DirectoryStore(join(cwd, "store"));
    await store.put(rolloutPlanKey("g"), new TextEncoder().encode(shown.stdout));
    await store.put("rollouts/g/tasks.jsonl", new TextEncoder().encode(task));
    const ended = await gymline(["job", "rollout", "--run", "g", "--store", "store", "--drop", "drop"], {
      cwd,
      env: { GYMLINE_MODEL_SERVER: server.url, OPENAI_API_KEY: undefined, OPENAI_BASE_URL: undefined },
    });
    expect([ended.code, ended.stdout]).toEqual([0, expect.stringContaining("waits for the model's server")]);
    for (const request of server.requests) {
      expect(request).toMatchObject({ model: MODEL, return_token_ids: true, logprobs: true });
    }
    const text = readFileSync(join(cwd, "drop/default/rollouts/g/a.0.json"), "utf8");
    const { steps, extra } = trajectorySchema.parse(JSON.parse(text));
    expect(extra?.gymline?.outcome).toMatchObject({ success: true });
    const metrics = steps.flatMap((step) => (step.source === "agent" ? [step.metrics] : []));
    expect(metrics).toMatchObject([
      { prompt_token_ids: [1, 2, 3, 4], completion_token_ids: [10, 20, 30], logprobs: [-0.25, -0.25, -0.25] },
      { prompt_token_ids: [1, 2, 3, 5], completion_token_ids: [11, 21, 31], logprobs: [-0.25, -0.25, -0.25] },
    ]);
  }, 120_000);
});
