import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import {
  EVAL_OPTIONS,
  EXPORT_OPTIONS,
  givenOptions,
  scriptArguments,
  trainOptions,
} from "../../containers/gymline/train-options.ts";

const root = resolve(import.meta.dirname, "../..");
const config = readFileSync(join(root, "containers/trainer/gymline_trainer/config.py"), "utf8");
const page = readFileSync(join(root, "docs/TRAINING.md"), "utf8");

/** Options of a class of the scripts, with their defaults as Python writes them. */
function fields(name: string): ReadonlyMap<string, string> {
  const [, body = ""] = new RegExp(`^class ${name}\\b.*:\\n((?: {4}.*\\n|\\n)+)`, "m").exec(config) ?? [];
  const found = body.matchAll(/^ {4}(\w+): .*? = option\((\.\.\.|"[^"]*"|\(\)|[^,]+), /gm);
  return new Map([...found].map(([, field = "", value = ""]) => [field, value]));
}

const CLASSES = { sft: "SftConfig", dpo: "DpoConfig", grpo: "GrpoConfig", prm: "PrmConfig" } as const;

describe("flags of gymline train", () => {
  const all = fields("TrainConfig");

  for (const algorithm of ["sft", "dpo", "grpo", "prm"] as const) {
    it(`are options of ${algorithm}.py`, () => {
      const own = fields(CLASSES[algorithm]);
      expect(all.size).toBeGreaterThan(40);
      for (const { name } of trainOptions(algorithm)) expect([...all.keys(), ...own.keys()]).toContain(name);
    });
  }

  it("and those of gymline eval-model are options of eval_model.py", () => {
    const own = [...fields("EvalConfig").keys()];
    for (const { name } of EVAL_OPTIONS) expect(own).toContain(name);
  });

  it("and those of gymline train export are options of export.py", () => {
    const own = [...fields("ExportConfig").keys()];
    for (const { name } of EXPORT_OPTIONS) expect(own).toContain(name);
  });

  it("name the defaults that the scripts have", () => {
    const sets = [
      ...(["sft", "dpo", "grpo", "prm"] as const).map((name) => ({
        options: trainOptions(name),
        own: new Map([...all, ...fields(CLASSES[name])]),
      })),
      { options: EVAL_OPTIONS, own: fields("EvalConfig") },
      { options: EXPORT_OPTIONS, own: fields("ExportConfig") },
    ];
    let compared = 0;
    for (const { options, own } of sets) {
      for (const { name, text } of options) {
        const [, said] = /\(default: (.+)\)$/.exec(text) ?? [];
        if (said === undefined || said.startsWith("the ")) continue;
        compared += 1;
        expect([name, own.get(name)?.replaceAll('"', "")]).toEqual([name, said]);
      }
    }
    expect(compared).toBeGreaterThan(30);
  });

  it("reach a script as it reads them: numbers and switches as such, text quoted", () => {
    const given = givenOptions(trainOptions("sft"), {
      maxLength: "512",
      learningRate: "1e-5",
      useLora: true,
      evalSplit: "no",
      store: "out",
    });
    expect(scriptArguments(given)).toEqual([
      ...["--set", 'eval_split="no"'],
      ...["--set", "max_length=512"],
      ...["--set", "learning_rate=1e-5"],
      ...["--set", "use_lora=true"],
    ]);
  });
});

it("The page of training lists every option of every script with its default", () => {
  for (const name of ["TrainConfig", ...Object.values(CLASSES), "EvalConfig", "ExportConfig"]) {
    const own = fields(name);
    expect(own.size).toBeGreaterThan(1);
    for (const [field, value] of own) {
      // The evaluation has its rows only where they differ.
      const plain =
        value === "..." ? "required" : value.replaceAll('"', "").replace("None", "null").toLowerCase();
      const rows = page.split("\n").filter((line) => line.startsWith(`| \`${field}\` `));
      expect([name, field, rows.length > 0]).toEqual([name, field, true]);
      expect(
        rows.some((row) => row.toLowerCase().includes(`| ${plain === "\\n" ? "a line break" : plain} `)),
        `${name} ${field} ${plain}`,
      ).toBe(true);
    }
  }
});
