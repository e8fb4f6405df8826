import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { defineEnv, defineTool, type EpisodeTool } from "../../shared/env/define-env.ts";
import { EnvFaultError, ProtocolError } from "../../shared/env/protocol.ts";
import { plainEnv, TOOL } from "../factories/plain-env.ts";

const boom: EpisodeTool<{ tries: number }> = defineTool({
  name: "boom",
  description: "Fails.",
  params: z.object({ how: z.enum(["throws", "transient", "fault"]), n: z.int().default(3) }),
  run: ({ how }, { state }) => {
    state.tries += 1;
    if (how === "throws") throw new TypeError("no such row");
    if (how === "fault") throw new EnvFaultError("the service is gone", { transient: false });
    if (state.tries < 2) throw new EnvFaultError("try again", { transient: true });
    return `tried ${state.tries}`;
  },
});

const failing = () =>
  defineEnv({
    id: "test/failing-v1",
    domain: "generic",
    tools: [boom],
    begin: () => ({ state: { tries: 0 }, observation: "go" }),
  });

describe("a defined environment", () => {
  it("tells its tools as JSON Schema of what may be sent", () => {
    expect(failing().tools).toEqual([
      {
        name: "boom",
        description: "Fails.",
        parameters: {
          type: "object",
          properties: {
            how: { type: "string", enum: ["throws", "transient", "fault"] },
            n: { type: "integer", default: 3, minimum: -9007199254740991, maximum: 9007199254740991 },
          },
          required: ["how"],
        },
      },
    ]);
  });

  it("answers unknown tools and invalid params with the reason, and counts them as steps", async () => {
    const env = failing();
    await env.reset();
    const unknown = await env.step({ tool: "nope", params: {} });
    expect(unknown.info).toMatchObject({
      exitCode: 1,
      step: 1,
      error: 'there is no tool "nope"; the tools are boom',
    });
    const invalid = await env.step({ tool: "boom", params: { how: "softly" } });
    expect(invalid.info.step).toBe(2);
    expect(invalid.observation).toMatch(/^Error: boom: how: Invalid option/);
    const none = await env.step({ tool: "boom", params: null as unknown as Record<string, unknown> });
    expect(none.info.error).toMatch(/^boom: how: /);
    expect([unknown.done, invalid.done, none.done]).toEqual([false, false, false]);
  });

  it("answers a tool that throws with its error", async () => {
    const env = failing();
    await env.reset();
    const step = await env.step({ tool: "boom", params: { how: "throws" } });
    expect(step).toMatchObject({ observation: "Error: boom: no such row", reward: 0, done: false });
    expect(step.info).toMatchObject({ exitCode: 1, error: "boom: no such row" });
  });

  it("goes on after a fault that passes, and needs a reset after one that does not", async () => {
    const env = failing();
    await env.reset();
    const transient = { tool: "boom", params: { how: "transient" } };
    await expect(env.step(transient)).rejects.toThrow("try again");
    expect((await env.step(transient)).observation).toBe("tried 2");
    await expect(env.step({ tool: "boom", params: { how: "fault" } })).rejects.toThrow("gone");
    await expect(env.step(transient)).rejects.toThrow(ProtocolError);
    await env.reset();
    await expect(env.step(transient)).rejects.toThrow("try again");
  });

  it("lets go of a tool that does not heed an abort, and begins anew", async () => {
    const ended: string[] = [];
    const env = plainEnv({ during: () => new Promise(() => undefined), onEnd: () => ended.push("ended") });
    await env.reset();
    const controller = new AbortController();
    const step = env.step(TOOL, controller.signal);
    await expect(env.step(TOOL)).rejects.toThrow("is still at the step before");
    controller.abort(new Error("enough"));
    await expect(step).rejects.toThrow("enough");
    await expect(env.step(TOOL)).rejects.toThrow("was interrupted in a step");
    expect((await env.reset()).observation).toBe("o");
    await env.close();
    await env.close();
    expect(ended).toEqual(["ended", "ended"]);
    await expect(env.reset()).rejects.toThrow(ProtocolError);
  });

  it("ends what began though nobody waited for it any more", async () => {
    const ended: number[] = [];
    let begun = 0;
    const gate = Promise.withResolvers<void>();
    const env = defineEnv<number>({
      id: "test/slow-v1",
      domain: "generic",
      tools: [],
      begin: async () => {
        begun += 1;
        const mine = begun;
        if (mine === 1) await gate.promise;
        return { state: mine, observation: "" };
      },
      end: (state) => {
        ended.push(state);
      },
    });
    const controller = new AbortController();
    const first = env.reset({ signal: controller.signal });
    await vi.waitUntil(() => begun === 1);
    controller.abort(new Error("too slow"));
    await expect(first).rejects.toThrow("too slow");
    await env.reset();
    gate.resolve();
    await env.close();
    await vi.waitUntil(() => ended.length === 2);
    expect(ended.sort()).toEqual([1, 2]);
  });

  it("judges at the end and when asked, and rewards success", async () => {
    const solved = plainEnv({ endsAt: 2, rewards: [0.25], verdict: { success: true, score: 1 } });
    await expect(solved.verdict?.()).rejects.toThrow(ProtocolError);
    await solved.reset();
    expect(await solved.verdict?.()).toEqual({ success: true, score: 1, reward: 1 });
    expect((await solved.step(TOOL)).info.success).toBeUndefined();
    expect(await solved.step(TOOL)).toMatchObject({
      reward: 1.25,
      terminated: true,
      info: { success: true },
    });
    const failed = plainEnv({ cutAt: 1, verdict: { success: false, score: 0.5, unmet: ["b"] } });
    await failed.reset();
    expect(await failed.step(TOOL)).toMatchObject({
      reward: 0,
      truncated: true,
      info: { success: false, score: 0.5, unmet: ["b"] },
    });
  });
});
