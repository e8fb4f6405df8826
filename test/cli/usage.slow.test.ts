import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../factories/temporary.ts";
import { goodLogs, gymline, shell } from "./program.ts";

const namesIn = (help: string): readonly string[] =>
  [...help.slice(help.indexOf("Commands:")).matchAll(/^ {2}([a-z]+(?:-[a-z]+)*)\b/gm)].map(
    ([, name]) => name ?? "",
  );

describe("the command line", () => {
  it("shows examples in the help of every command", async () => {
    const { code, stdout } = await gymline(["--help"]);
    expect(code).toBe(0);
    const names = namesIn(stdout).filter((name) => name !== "help");
    expect(names).toEqual(
      expect.arrayContaining(["run", "convert", "validate", "score", "redact", "doctor", "deploy-check"]),
    );
    for (const name of names) {
      const help = await gymline([name, "--help"]);
      expect([name, help.code, help.stderr]).toEqual([name, 0, ""]);
      expect(help.stdout).toContain(`Examples:\n  $ gymline ${name}`);
    }
  });

  it("meets an unknown command or option with a hint and exits with 1", async () => {
    const command = await gymline(["convrt"]);
    expect([command.code, command.stdout]).toEqual([1, ""]);
    expect(command.stderr).toContain("Did you mean convert?");
    const option = await gymline(["convert", "x", "--fromat", "y"]);
    expect([option.code, option.stdout]).toEqual([1, ""]);
    expect(option.stderr).toContain("Did you mean --format?");
    const argument = await gymline(["convert"]);
    expect(argument.code).toBe(1);
    expect(argument.stderr).toContain("--help");
  });

  it("says what to give instead, without a stack, where the given thing is not there", async () => {
    const cases: readonly (readonly [readonly string[], string])[] = [
      [["convert", "absent"], "there is no absent"],
      [["score", ".", "--domain", "absent"], 'there is no domain "absent"'],
      [["validate", ".", "--format", "absent"], 'there is no format "absent"'],
      [["formats", "--mapping", "absent.json"], "absent.json cannot be read"],
      [["formats", "--plugin", "absent.mjs"], "absent.mjs could not be loaded"],
      [["formats", "--config", "absent.json"], "absent.json cannot be read"],
      [["convert", ".", "--out", "."], "is a folder"],
      [["convert", ".", "--out", "absent/x.jsonl"], "cannot be written"],
      [["doctor", "--store", "absent"], "absent holds no gymline store"],
      [["cost", "--config", "absent.json"], "absent.json cannot be read"],
      [["cost", "--trajectories", "many"], "--trajectories takes a whole number"],
      [["cost", "--judged", "2"], "--judged takes a number from 0 to 1"],
      [["redrive", "absent"], 'there is no stage "absent"'],
      [["status", "--watch", "0"], "--watch takes a whole number"],
    ];
    for (const [args, expected] of cases) {
      const { code, stdout, stderr } = await gymline(args, { cwd: goodLogs() });
      expect([args, code, stdout]).toEqual([args, 1, ""]);
      expect(stderr).toContain(expected);
      expect(stderr).not.toMatch(/^ {4}at /m);
    }
  });

  it("names the place of a wrong configuration", async () => {
    const folder = temporaryFolder("cli");
    writeFileSync(join(folder, "gymline.json"), JSON.stringify({ redaction: { disabled: ["emial"] } }));
    const { code, stderr } = await gymline(["formats"], { cwd: folder });
    expect(code).toBe(1);
    expect(stderr).toContain("gymline.json is no valid configuration: redaction.disabled.0");
  });

  it("takes a mapping that configuration and command line both name for one", async () => {
    const examples = resolve(import.meta.dirname, "../../docs/examples");
    const mapping = join(examples, "mapping-hub.json");
    const folder = temporaryFolder("cli");
    writeFileSync(join(folder, "gymline.json"), JSON.stringify({ mappings: [mapping] }));
    const args = ["convert", join(examples, "sample-hub.json"), "--mapping", mapping];
    const { code, stdout } = await gymline(args, { cwd: folder });
    expect([code, stdout.trim().split("\n").length]).toEqual([0, 1]);
  });

  it("estimates costs for the figures that it is given, in a table or as JSON", async () => {
    const text = await gymline(["cost"]);
    expect([text.code, text.stderr]).toEqual([0, ""]);
    expect(text.stdout).toContain("scoring and exporting 1,000,000 trajectories, once");
    const sums = async (trajectories: string): Promise<{ readonly work: number }> =>
      JSON.parse((await gymline(["cost", "--json", "--trajectories", trajectories])).stdout).sums;
    const [one, ten] = [await sums("1000"), await sums("10000")];
    expect(ten.work / one.work).toBeCloseTo(10, 6);
  });

  it("ends quietly where the reader of its complaints closes the pipe", async () => {
    const { stderr } = await shell("gymline validate . 2>&1 | head -1 > first", { cwd: goodLogs() });
    expect(stderr).toBe("");
  });
});
