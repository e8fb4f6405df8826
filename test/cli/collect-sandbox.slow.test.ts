import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { DockerOffer } from "../docker/docker.ts";
import { offerSandboxDocker } from "../factories/sandbox-image.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { gymline } from "./program.ts";

const HIDDEN_PATCH = `--- a/test_calc.py
+++ b/test_calc.py
@@ -1,3 +1,6 @@
 def test_zero():
     from calc import add
     assert add(0, 0) == 0
+def test_hidden():
+    from calc import add
+    assert add(2, 3) == 5
`;

/** A clone, a row of SWE-bench for it, and a script whose attempts mend it, and do not, by turns. */
function workplace(): string {
  const folder = temporaryFolder("collect");
  const repo = join(folder, "repos/acme__calc");
  mkdirSync(repo, { recursive: true });
  const git = (...args: readonly string[]): string =>
    execFileSync("git", ["-C", repo, "-c", "user.name=a", "-c", "user.email=a@b.c", ...args], {
      encoding: "utf8",
    }).trim();
  git("init", "--quiet");
  writeFileSync(join(repo, "calc.py"), "def add(a, b):\n    return a - b\n");
  writeFileSync(
    join(repo, "test_calc.py"),
    "def test_zero():\n    from calc import add\n    assert add(0, 0) == 0\n",
  );
  git("add", ".");
  git("commit", "--quiet", "-m", "begin");
  const row = {
    instance_id: "acme__calc-1",
    repo: "acme/calc",
    base_commit: git("rev-parse", "HEAD"),
    problem_statement: "add subtracts",
    test_patch: HIDDEN_PATCH,
    FAIL_TO_PASS: '["test_calc.py::test_hidden"]',
    PASS_TO_PASS: '["test_calc.py::test_zero"]',
  };
  writeFileSync(join(folder, "tasks.jsonl"), JSON.stringify(row));
  const look = { message: "I look.", calls: [{ tool: "shell", params: { command: "cat calc.py; ls" } }] };
  const mend = { calls: [{ tool: "edit", params: { path: "calc.py", old: "a - b", new: "a + b" } }] };
  const submit = { calls: [{ tool: "submit" }] };
  writeFileSync(
    join(folder, "turns.json"),
    JSON.stringify([
      [look, mend, submit],
      [look, submit],
    ]),
  );
  return folder;
}

const ARGS = ["--env", "gymline/sandbox", "--tasks", "tasks.jsonl", "--repos", "repos", "--json"];

describe("gymline collect in sandboxes", () => {
  let offer: DockerOffer;

  beforeAll(async () => {
    offer = await offerSandboxDocker();
  }, 600_000);

  beforeEach((context) => {
    if (offer.kind === "missing") context.skip(offer.reason);
  });

  afterAll(async () => {
    if (offer?.kind === "ready") await offer.docker.close();
  });

  const env = () => (offer.kind === "ready" ? { DOCKER_HOST: `unix://${offer.docker.socketPath}` } : {});

  it("solves a row of SWE-bench to reward 1 and its unsolved twin to 0, and shows nobody the hidden test", async () => {
    const cwd = workplace();
    const args = [...ARGS, "--agent", "scripted:turns.json", "--n", "4", "--parallel", "2", "--run", "r"];
    const ended = await gymline(["collect", ...args], { cwd, env: env() });
    expect(ended).toMatchObject({ code: 0 });
    const { summary } = JSON.parse(ended.stdout);
    expect(summary.tasks).toEqual({ solved: 0, mixed: 1, unsolved: 0 });
    const documents = readdirSync(join(cwd, "drop/r")).map((name) =>
      readFileSync(join(cwd, "drop/r", name), "utf8"),
    );
    const rewards = documents.map((text) => JSON.parse(text).extra.gymline.outcome.metadata.reward);
    expect(rewards.sort()).toEqual([0, 0, 1, 1]);
    for (const text of documents) expect(text).not.toContain("test_hidden");
    const exported = await gymline(["run", "drop", "--json"], { cwd });
    expect(exported).toMatchObject({ code: 0 });
    const [version = ""] = readdirSync(join(cwd, "out/datasets/sft"));
    const rows = readFileSync(join(cwd, "out/datasets/sft", version, "train.jsonl"), "utf8")
      .trim()
      .split("\n");
    expect(rows).toHaveLength(1);
  }, 240_000);

  it("runs a harness of its own in the sandbox, judges its work, and drops its log", async () => {
    const cwd = workplace();
    const log = {
      messages: [
        { role: "system", content: "s" },
        { role: "user", content: "Please solve this issue" },
        {
          role: "assistant",
          content: "I mend it.",
          extra: { actions: [{ command: "sed -i s/-/+/ calc.py" }] },
        },
        { role: "user", content: "<returncode>0</returncode>" },
      ],
      info: {
        exit_status: "Submitted",
        mini_version: "1.17.5",
        model_stats: { instance_cost: 0, api_calls: 1 },
      },
      trajectory_format: "mini-swe-agent-1",
    };
    const script = [
      "import pathlib, sys",
      "calc = pathlib.Path('calc.py')",
      "calc.write_text(calc.read_text().replace('a - b', 'a + b'))",
      "pathlib.Path(sys.argv[1]).write_text(sys.argv[2])",
    ].join("\n");
    const bridge = {
      name: "own-harness",
      command: ["python3", "-c", script, "{log}", JSON.stringify(log)],
      log: "/tmp/harness/log.json",
      format: "mini-swe-agent",
      labels: "top-level",
    };
    // Braces of the log are no names.
    writeFileSync(join(cwd, "bridge.json"), JSON.stringify(bridge));
    const args = [...ARGS, "--agent", "bridge:bridge.json", "--model", "none/m", "--run", "h"];
    const ended = await gymline(["collect", ...args], { cwd, env: env() });
    expect(ended).toMatchObject({ code: 0 });
    const dropped = JSON.parse(readFileSync(join(cwd, "drop/h/acme__calc-1.0.json"), "utf8"));
    expect(dropped).toMatchObject({ ...log, instance_id: "acme__calc-1", resolved: true, tests_passed: 2 });
    const listed = await gymline(["run", "drop", "--json"], { cwd });
    expect(listed).toMatchObject({ code: 0 });
    const show = await gymline(["list", "--json"], { cwd });
    expect(JSON.parse(show.stdout)).toMatchObject({ taskId: "acme__calc-1", format: "mini-swe-agent" });
  }, 240_000);
});
