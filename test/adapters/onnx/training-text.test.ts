import { expect, it, onTestFinished } from "vitest";
import { readTokenizerFolder } from "../../../shared/adapters/local/tokenizer-folder.ts";
import { onnxToolChat } from "../../../shared/adapters/onnx/onnx-tool-chat.ts";
import { chatAgent } from "../../../shared/agents/chat-agent.ts";
import { makeEnv } from "../../../shared/env/envs.ts";
import { runEpisode } from "../../../shared/env/rollout/run-episode.ts";
import { textModel } from "../../../shared/inference/text-model.ts";
import { systemClock } from "../../../shared/library.ts";
import { chatTemplateOf } from "../../../shared/tokenizer/chat-template.ts";
import { readTokenizer } from "../../../shared/tokenizer/tokenizer-files.ts";
import { tinyModel } from "../../inference/expected.ts";

it("a recorded episode, rendered as rows for training are, holds the very tokens that the model read and wrote", async () => {
  const folder = tinyModel("tiny-qwen2");
  const chat = await onnxToolChat({ folder, threads: 1 });
  onTestFinished(() => chat.close());
  const env = makeEnv("gymline/conversation");
  const { trajectory, statistics } = await runEpisode({
    env,
    agent: chatAgent(chat),
    task: { id: "hours", description: "When do you open?" },
    seed: 1,
    clock: systemClock,
  });
  await env.close();
  expect(statistics.turns).toBe(2);
  if (trajectory === null) throw new Error("there is no trajectory");
  const files = await readTokenizerFolder(folder);
  const template = await chatTemplateOf(readTokenizer(files));
  const { encode } = await textModel(files, folder);
  const trained = encode(template?.render(trajectory) ?? "");
  const turns = trajectory.steps.flatMap(({ metrics }) => (metrics?.prompt_token_ids ? [metrics] : []));
  expect(turns).toHaveLength(2);
  for (const { prompt_token_ids: prompt = [], completion_token_ids: completion = [] } of turns) {
    const own = [...(prompt ?? []), ...(completion ?? [])];
    expect(trained.slice(0, own.length)).toEqual(own);
  }
});
