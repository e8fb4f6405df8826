import { describe, expect, it } from "vitest";
import { type ModelChoice, modelOf } from "../../../shared/adapters/models/model-of.ts";
import { ModelSettingsError } from "../../../shared/adapters/models/model-settings-error.ts";
import { modelServer } from "../../factories/model-server/model-server.ts";
import { answer } from "../../factories/model-server/replies.ts";

const QUESTION = { system: "s", messages: [{ role: "user", content: "hello" }], maxTokens: 10 } as const;
const ANTHROPIC: ModelChoice = { provider: "anthropic", model: "m" };
const OPENAI: ModelChoice = { provider: "openai-compatible", model: "m" };

describe("the model of a choice", () => {
  it("takes key and base URL of Anthropic from the variables, with or without /v1", async () => {
    const server = await modelServer(() => answer("yes"), { apiKey: "secret" });
    for (const base of [server.url, `${server.url}/`, `${server.url}/v1`, `${server.url}/v1/`]) {
      const model = await modelOf(ANTHROPIC, { ANTHROPIC_API_KEY: "secret\n", ANTHROPIC_BASE_URL: base });
      expect(model).toMatchObject({ provider: "anthropic", model: "m" });
      expect((await model.complete(QUESTION)).text).toBe("yes");
    }
    expect(server.calls.map(({ path }) => path)).toEqual(Array(4).fill("/v1/messages"));
  });

  it("takes key and base URL of OpenAI's format from the variables, with or without /v1", async () => {
    const server = await modelServer(() => answer("yes"), { apiKey: "secret" });
    for (const base of [server.url, `${server.url}/v1`, `${server.url}/v1/`]) {
      const model = await modelOf(OPENAI, { OPENAI_API_KEY: "secret", OPENAI_BASE_URL: base });
      expect(model).toMatchObject({ provider: "openai-compatible", model: "m" });
      expect((await model.complete(QUESTION)).text).toBe("yes");
    }
    expect(server.calls.map(({ path }) => path)).toEqual(Array(3).fill("/v1/chat/completions"));
  });

  it("prefers what the choice says, and takes the key from the variable it names", async () => {
    const server = await modelServer(() => answer("yes"), { apiKey: "mine" });
    const elsewhere = { ANTHROPIC_BASE_URL: "http://127.0.0.1:1", OPENAI_BASE_URL: "http://127.0.0.1:1" };
    const variables = { ...elsewhere, ANTHROPIC_API_KEY: "x", OPENAI_API_KEY: "x", MOONSHOT_API_KEY: "mine" };
    for (const choice of [ANTHROPIC, OPENAI]) {
      const model = await modelOf(
        { ...choice, baseUrl: server.url, apiKeyVariable: "MOONSHOT_API_KEY", maxTries: undefined },
        variables,
      );
      expect((await model.complete(QUESTION)).text).toBe("yes");
    }
  });

  it("does without a key at a server of one's own, and sends none", async () => {
    const server = await modelServer(() => answer("yes"));
    const model = await modelOf({ ...OPENAI, baseUrl: server.openaiUrl }, {});
    await model.complete(QUESTION);
    expect(server.calls[0]?.headers["authorization"]).toBeUndefined();
  });

  it.each([
    [ANTHROPIC, {}, "set the environment variable ANTHROPIC_API_KEY"],
    [ANTHROPIC, { ANTHROPIC_API_KEY: " " }, "set the environment variable ANTHROPIC_API_KEY"],
    [OPENAI, {}, "set the environment variable OPENAI_API_KEY"],
    [{ ...OPENAI, apiKeyVariable: "MY_KEY" }, { OPENAI_API_KEY: "x" }, "set the environment variable MY_KEY"],
  ] as const)("names the key that is missing and how to set it", async (choice, variables, message) => {
    const made = modelOf(choice, variables);
    await expect(made).rejects.toThrow(ModelSettingsError);
    await expect(made).rejects.toThrow(message);
  });

  it.each([ANTHROPIC, OPENAI])("never quotes a key that cannot be sent", async (choice) => {
    const key = "sk-secret\nINJECTED: 1";
    const made = modelOf(choice, { ANTHROPIC_API_KEY: key, OPENAI_API_KEY: key });
    await expect(made).rejects.toThrow(/^(?!.*secret).*copy it anew/);
  });
});
