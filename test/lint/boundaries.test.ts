import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";

const root = resolve(import.meta.dirname, "../..");
const IMPORTS = "lint/style/noRestrictedImports";
const AMBIENT = "plugin";

interface Case {
  readonly name: string;
  readonly path: string;
  readonly source: string;
  /** The rule that must report it; null where the file is in order. */
  readonly rule: string | null;
}

const uses = (specifier: string): string =>
  `import * as thing from "${specifier}";\n\nexport const used = thing;\n`;
const makes = (expression: string): string =>
  `export const made = (thing: never): unknown => [thing, ${expression}];\n`;

const cases: readonly Case[] = [
  ...[
    "node:fs",
    "node:fs/promises",
    "node:child_process",
    "node:worker_threads",
    "node:sqlite",
    "node:os",
  ].map(
    (module): Case => ({
      name: `shared code imports ${module}`,
      path: `shared/domains/${module.replaceAll(/[:/_]/g, "-")}.ts`,
      source: uses(module),
      rule: IMPORTS,
    }),
  ),
  {
    name: "shared code imports an AWS client",
    path: "shared/domains/aws.ts",
    source: uses("@aws-sdk/client-s3"),
    rule: IMPORTS,
  },
  {
    name: "shared code imports a file system at run time",
    path: "shared/domains/dynamic.ts",
    source: 'export const load = () => import("node:fs");\n',
    rule: IMPORTS,
  },
  {
    name: "shared code imports an adapter",
    path: "shared/domains/adapter.ts",
    source: uses("../adapters/local/store.ts"),
    rule: IMPORTS,
  },
  {
    name: "shared code imports a container",
    path: "shared/domains/container.ts",
    source: uses("../../containers/gymline/main.ts"),
    rule: IMPORTS,
  },
  {
    name: "an adapter imports a handler",
    path: "shared/adapters/local/handler.ts",
    source: uses("../../../functions/score/handler.ts"),
    rule: IMPORTS,
  },
  {
    name: "an adapter imports a file system",
    path: "shared/adapters/local/files.ts",
    source: uses("node:fs"),
    rule: null,
  },
  {
    name: "a function imports infra",
    path: "functions/score/infra.ts",
    source: uses("../../infra/config.ts"),
    rule: IMPORTS,
  },
  {
    name: "a function imports a container",
    path: "functions/score/container.ts",
    source: uses("../../containers/gymline/main.ts"),
    rule: IMPORTS,
  },
  {
    name: "a function imports a stage",
    path: "functions/score/stage.ts",
    source: uses("../../shared/stages/score.ts"),
    rule: null,
  },
  {
    name: "a container imports infra",
    path: "containers/gymline/infra.ts",
    source: uses("../../infra/config.ts"),
    rule: IMPORTS,
  },
  {
    name: "infra imports a stage",
    path: "infra/stage.ts",
    source: uses("../shared/stages/score.ts"),
    rule: IMPORTS,
  },
  {
    name: "infra imports the contracts",
    path: "infra/contracts.ts",
    source: uses("../shared/contracts/events.ts"),
    rule: null,
  },
  {
    name: "shipped code imports test code",
    path: "containers/gymline/factory.ts",
    source: uses("../../test/factories/trajectory.ts"),
    rule: IMPORTS,
  },
  ...[
    "Date.now()",
    "globalThis.Date.now()",
    "[1].map(Date.now)",
    "new Date()",
    "performance.now()",
    "Math.random()",
    "crypto.randomUUID()",
    "process.env",
  ].map(
    (expression, index): Case => ({
      name: `shared code uses ${expression}`,
      path: `shared/domains/ambient-${index}.ts`,
      source: makes(expression),
      rule: AMBIENT,
    }),
  ),
  {
    name: "shared code reads a date it is given",
    path: "shared/domains/given.ts",
    source: makes("new Date(thing)"),
    rule: null,
  },
  {
    name: "an adapter uses Date.now()",
    path: "shared/adapters/local/clock.ts",
    source: makes("Date.now()"),
    rule: null,
  },
];

const reportSchema = z.object({
  diagnostics: z.array(z.object({ category: z.string(), location: z.object({ path: z.string() }) })),
});

describe("the lint configuration keeps the layers apart", () => {
  let folder = "";
  let found: ReadonlyMap<string, readonly string[]> = new Map();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "gymline-lint-"));
    for (const path of ["biome.json", ".gitignore", "test/lint/no-ambient.grit"]) {
      await cp(join(root, path), join(folder, path), { recursive: true });
    }
    for (const { path, source } of cases) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), source);
    }
    found = await lint(folder);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(cases.filter(({ rule }) => rule !== null))("reports it where $name", ({ path, rule }) => {
    expect(found.get(path)).toEqual([rule]);
  });

  it.each(cases.filter(({ rule }) => rule === null))("has nothing to say where $name", ({ path }) => {
    expect(found.get(path)).toBeUndefined();
  });
});

/** The rules that each file breaks, by path from `folder`. */
async function lint(folder: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const binary = join(root, "node_modules/.bin/biome");
  const flags = ["lint", "--reporter=json", "--max-diagnostics=none", "."];
  const { stdout } = await promisify(execFile)(binary, flags, { cwd: folder }).catch(
    (error: { readonly stdout: string }) => error,
  );
  const rules = new Map<string, string[]>();
  for (const { category, location } of reportSchema.parse(JSON.parse(stdout)).diagnostics) {
    const list = rules.get(location.path) ?? [];
    if (!list.includes(category)) list.push(category);
    rules.set(location.path, list);
  }
  return rules;
}
