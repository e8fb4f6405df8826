import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { loadDeployment } from "../../infra/config.ts";
import { deploymentConfigSchema } from "../../shared/contracts/deployment-config.ts";

const document = readFileSync(join(import.meta.dirname, "../../docs/DEPLOYMENT.md"), "utf8");

const nodeSchema: z.ZodType<Node> = z.lazy(() =>
  z.looseObject({
    properties: z.record(z.string(), nodeSchema).optional(),
    items: nodeSchema.optional(),
    anyOf: z.array(nodeSchema).optional(),
    oneOf: z.array(nodeSchema).optional(),
  }),
);
interface Node {
  readonly properties?: Readonly<Record<string, Node>> | undefined;
  readonly items?: Node | undefined;
  readonly anyOf?: readonly Node[] | undefined;
  readonly oneOf?: readonly Node[] | undefined;
}

/** Names of all keys below a schema, without those of a dataset's request, which SETTINGS.md lists. */
function keysOf(node: Node): readonly string[] {
  const own = Object.entries(node.properties ?? {}).flatMap(([name, child]) => [
    name,
    ...(name === "request" ? [] : keysOf(child)),
  ]);
  const inner = [node.items, ...(node.anyOf ?? []), ...(node.oneOf ?? [])].flatMap((child) =>
    child === undefined ? [] : keysOf(child),
  );
  return [...new Set([...own, ...inner])];
}

describe("docs/DEPLOYMENT.md", () => {
  it("has every key of the configuration", () => {
    const keys = keysOf(nodeSchema.parse(z.toJSONSchema(deploymentConfigSchema, { io: "input" })));
    const quoted = [...document.matchAll(/`([\w.<>]+)`/g)].flatMap(([, name = ""]) => name.split("."));
    expect(keys.length).toBeGreaterThan(40);
    expect(keys.filter((key) => key !== "$schema" && !quoted.includes(key))).toEqual([]);
  });

  it("shows configurations that are valid", () => {
    const shown = [...document.matchAll(/```json\n([\s\S]+?)```/g)].map(([, json = ""]) => json);
    expect(shown.length).toBeGreaterThan(1);
    for (const json of shown) {
      expect(deploymentConfigSchema.safeParse(JSON.parse(json)).error).toBeUndefined();
    }
  });

  it("states the defaults that the code has", () => {
    const { config } = loadDeployment({ folder: join(import.meta.dirname, "fixtures") });
    const rows = {
      dropExpiryDays: config.dropExpiryDays,
      maxReceives: config.maxReceives,
      sweep: config.sweep,
      judgeCollect: config.judgeCollect,
    };
    for (const [key, value] of Object.entries(rows)) {
      expect(document).toMatch(
        new RegExp(`^\\| \`${key}\` +\\| \`?${String(value).replace(/[()]/g, "\\$&")}`, "m"),
      );
    }
  });
});
