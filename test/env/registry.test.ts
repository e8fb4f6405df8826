import fc from "fast-check";
import { distance as editDistance } from "fastest-levenshtein";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { builtinEnvs } from "../../shared/env/builtin-envs.ts";
import {
  EnvOptionsError,
  type EnvRegistration,
  EnvRegistrationError,
  EnvRegistry,
  UnknownEnvError,
} from "../../shared/env/registry.ts";
import { MaxSteps } from "../../shared/env/wrappers/max-steps.ts";
import { plainEnv, TOOL } from "../factories/plain-env.ts";

const plain = (id: string): EnvRegistration<{ readonly observation: string }> => ({
  id,
  domain: "generic",
  description: "For tests.",
  options: z.strictObject({ observation: z.string().default("o") }),
  create: ({ options }) => plainEnv(options),
  wrappers: () => [(env) => new MaxSteps(env, { maxSteps: 1 })],
});

describe("a registry", () => {
  it("makes the newest version where none is named", () => {
    const registry = new EnvRegistry([plain("a/b-v2"), plain("a/b-v10"), plain("a/b-v1")]);
    expect(registry.envSpec("a/b")).toEqual({
      id: "a/b-v10",
      name: "a/b",
      version: 10,
      domain: "generic",
      description: "For tests.",
    });
    expect(registry.envSpec("a/b-v2")?.version).toBe(2);
    expect(registry.listEnvs().map(({ id }) => id)).toEqual(["a/b-v1", "a/b-v2", "a/b-v10"]);
    expect(registry.listEnvs({ domain: "coding" })).toEqual([]);
  });

  it("puts the default wrappers around it, or others, or none", async () => {
    const registry = new EnvRegistry([plain("a/b-v1")]);
    const lengths: number[] = [];
    for (const wrappers of [undefined, [], [(env: Parameters<typeof wrap>[0]) => wrap(env)]]) {
      const env = registry.make("a/b", wrappers === undefined ? {} : { wrappers });
      await env.reset();
      let steps = 1;
      while (steps < 5 && !(await env.step(TOOL)).done) steps += 1;
      lengths.push(steps);
    }
    expect(lengths).toEqual([1, 5, 2]);
    function wrap(env: ReturnType<typeof plainEnv>): MaxSteps {
      return new MaxSteps(env, { maxSteps: 2 });
    }
  });

  it("hands options on after checking them", async () => {
    const registry = new EnvRegistry([plain("a/b-v1")]);
    const env = registry.make("a/b", { options: { observation: "hello" } });
    expect((await env.reset()).observation).toBe("hello");
    expect(() => registry.make("a/b", { options: { observation: 1 } })).toThrow(
      /^a\/b-v1: options\.observation: /,
    );
    expect(() => registry.make("a/b", { options: { colour: "red" } })).toThrow(EnvOptionsError);
  });

  it("names the nearest ids where there is none", () => {
    const registry = new EnvRegistry(builtinEnvs());
    expect(() => registry.make("gymline/converstaion")).toThrow(
      'there is no environment "gymline/converstaion"; did you mean gymline/conversation-v1 or ',
    );
    expect(() => registry.make("something-else-entirely-1234567890")).toThrow(UnknownEnvError);
    expect(() => new EnvRegistry().make("x")).toThrow("there are none");
  });

  it("refuses ids without version and ids that are taken", () => {
    const registry = new EnvRegistry([plain("a/b-v1")]);
    expect(() => registry.register(plain("a/b-v1"))).toThrow("registered already");
    for (const id of ["a/b", "b-v1", "a/b-v0", "a/b/c-v1", ""]) {
      expect(() => registry.register(plain(id))).toThrow(EnvRegistrationError);
    }
  });

  it("is apart from other registries", () => {
    const one = new EnvRegistry(builtinEnvs());
    one.register(plain("mine/env-v1"));
    expect(new EnvRegistry(builtinEnvs()).envSpec("mine/env")).toBeUndefined();
  });

  it("has each environment that knowlyr-gym knows under both names", () => {
    const names = new EnvRegistry(builtinEnvs()).listEnvs().map(({ name }) => name.split("/"));
    const under = (namespace: string) =>
      names.filter(([space]) => space === namespace).map(([, name]) => name);
    expect(under("gymline")).toEqual(
      expect.arrayContaining(["advisory", "conversation", "discussion", "engineering"]),
    );
    expect(under("knowlyr")).toEqual(under("gymline").filter((name) => name !== "household"));
  });
});

describe("edit distance", () => {
  it("is a distance, and at most the longer length", () => {
    const text = fc.string({ maxLength: 12 });
    fc.assert(
      fc.property(text, text, text, (a, b, c) => {
        const ab = editDistance(a, b);
        expect(ab === 0).toBe(a === b);
        expect(editDistance(b, a)).toBe(ab);
        expect(editDistance(a, c)).toBeLessThanOrEqual(ab + editDistance(b, c));
        expect(ab).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
    expect(editDistance("kitten", "sitting")).toBe(3);
  });
});
