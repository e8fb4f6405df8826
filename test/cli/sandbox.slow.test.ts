import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { trajectorySchema } from "../../shared/trajectory/schema.ts";
import type { DockerOffer } from "../docker/docker.ts";
import { FIX, HIDDEN_TESTS, repairRepository } from "../factories/repair-task.ts";
import { offerSandboxDocker } from "../factories/sandbox-image.ts";
import { type Ended, gymline } from "./program.ts";

const madeSchema = z.looseObject({ id: z.string(), snapshot: z.string() });
const reportSchema = z.looseObject({
  diverged: z.number(),
  success: z.boolean().nullable(),
  end: z.string(),
});

describe("gymline sandbox", () => {
  let offer: DockerOffer;
  const folder = mkdtempSync(join(tmpdir(), "gymline-sandbox-cli-"));
  const { repo, base } = repairRepository(folder);
  const tasks = join(folder, "tasks.jsonl");
  const task = {
    id: "mean",
    base_commit: base,
    test_command: "python3 -m pytest -q -p no:cacheprovider",
    sandbox: { repo, hidden_tests: HIDDEN_TESTS },
  };

  const run = (...args: readonly string[]): Promise<Ended> => {
    const host = offer.kind === "ready" ? { DOCKER_HOST: `unix://${offer.docker.socketPath}` } : {};
    return gymline(["sandbox", ...args], { env: { ...host, XDG_CACHE_HOME: join(folder, "cache") } });
  };

  beforeAll(async () => {
    offer = await offerSandboxDocker();
    writeFileSync(tasks, `${JSON.stringify(task)}\n\n${JSON.stringify({ id: "other" })}\n`);
  }, 600_000);

  beforeEach((context) => {
    if (offer.kind === "missing") context.skip(offer.reason);
  });

  afterAll(async () => {
    if (offer?.kind === "ready") await offer.docker.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("makes a sandbox of a task, works in it, goes back and branches off, and closes it", async () => {
    const created = await run("create", "--task", tasks, "--task-id", "mean", "--memory", "128m", "--json");
    expect(created.stderr).toBe("");
    const { id, snapshot } = madeSchema.parse(JSON.parse(created.stdout));
    try {
      const failing = await run("exec", id, "--", "python3", "-m", "pytest", "-q", "-p", "no:cacheprovider");
      expect(failing).toMatchObject({ code: 1, stderr: "" });
      expect(failing.stdout).toContain("1 failed");
      const edit = await run("exec", id, "--tool", FIX.tool, "--params", JSON.stringify(FIX.params));
      expect(edit).toMatchObject({ code: 0, stdout: "Changed stats.py from line 2 on.\n" });
      const passing = await run("exec", id.slice(0, 6), "--", "python3", "-m", "pytest", "-q");
      expect(passing.code).toBe(0);
      const branched = (await run("branch", id, snapshot)).stdout.trim();
      expect((await run("exec", branched, "--", "grep", "-c", "+ 1", "stats.py")).stdout).toBe("1\n");
      expect((await run("reset", id)).stdout).toContain(snapshot);
      expect((await run("exec", id, "--", "grep", "-c", "+ 1", "stats.py")).stdout).toBe("1\n");
      const listed = await run("list");
      expect(listed.stdout).toMatch(new RegExp(`${id}\\s+running .*task=mean`));
      expect((await run("close", branched)).code).toBe(0);
    } finally {
      await run("close", id);
    }
    expect((await run("exec", id, "--", "ls")).stderr).toMatch(/no sandbox can be opened as.*there is none/);
  });

  it("hands over standard input, and says how a command ended", async () => {
    const id = (await run("create")).stdout.trim();
    try {
      const host = offer.kind === "ready" ? `unix://${offer.docker.socketPath}` : "";
      const options = { env: { DOCKER_HOST: host, XDG_CACHE_HOME: join(folder, "cache") }, stdin: "given" };
      expect((await gymline(["sandbox", "exec", id, "-i", "--", "cat"], options)).stdout).toBe("given");
      expect(await run("exec", id, "--", "sh", "-c", "echo e >&2; exit 9")).toMatchObject({
        code: 9,
        stderr: "e\n",
      });
      const slow = await run("exec", id, "--timeout", "500ms", "--", "sleep", "60");
      expect(slow).toMatchObject({ code: 124, stderr: "[timed out after 0.5 s; give --timeout for more]\n" });
      const json: unknown = JSON.parse((await run("exec", id, "--json", "--", "echo", "x")).stdout);
      expect(json).toMatchObject({ end: { kind: "exit", code: 0 }, stdout: "x\n" });
    } finally {
      await run("close", id);
    }
  });

  it("replays a trajectory, and ends with 2 where it goes another way", async () => {
    const call = (index: number, content: string): object => {
      const [tool, params] = index === 0 ? [FIX.tool, FIX.params] : ["submit", {}];
      return {
        step_id: index + 2,
        source: "agent",
        message: "",
        tool_calls: [{ tool_call_id: `c${index}`, function_name: tool, arguments: params }],
        observation: { results: [{ source_call_id: `c${index}`, content }] },
      };
    };
    const hex = randomUUID().replaceAll("-", "").repeat(2);
    const trajectory = (first: string): string => {
      const file = join(folder, `${randomUUID()}.json`);
      const document = trajectorySchema.parse({
        schema_version: "ATIF-v1.8",
        agent: { name: "script", version: "1" },
        steps: [{ step_id: 1, source: "user", message: "Mend it." }, call(0, first), call(1, "Submitted.")],
        extra: {
          gymline: {
            schema: "gymline.trajectory.v1",
            id: hex,
            content_id: hex,
            id_version: "gymline.id.v1",
            content_id_version: "gymline.content.v1",
            task: { id: "mean" },
            outcome: { success: true },
            provenance: { format: "script", converter: "1", source_bytes: 1, revision: "1" },
            redaction: { total: 0, by_type: {}, entries: [] },
            fidelity: { tokens: "text_only", dropped: [], notes: [] },
            lint: [],
          },
        },
      });
      writeFileSync(file, JSON.stringify(document));
      return file;
    };
    const same = await run(
      "replay",
      trajectory("Changed stats.py from line 2 on."),
      "--task",
      tasks,
      "--json",
    );
    expect(same).toMatchObject({ code: 0, stderr: "" });
    expect(reportSchema.parse(JSON.parse(same.stdout))).toMatchObject({
      diverged: 0,
      success: true,
      end: "all",
    });
    const other = await run("replay", trajectory("Changed stats.py from line 7 on."), "--task", tasks);
    expect(other.code).toBe(2);
    expect(other.stdout).toContain(
      "parts at step 2, line 1 of the observation:\n- Changed stats.py from line 7 on.",
    );
    const none = await run("replay", tasks, "--task", tasks);
    expect(none).toMatchObject({ code: 1 });
    expect(none.stderr).toMatch(/tasks.jsonl is no JSON/);
  });

  it.each([
    [["create", "--memory", "1z"], /--memory takes a measure such as 512m or 2g, not "1z"/],
    [["create", "--cpus", "0"], /--cpus takes a number above 0/],
    [
      ["create", "--image", "no/such:1"],
      /image no\/such:1 is not on this machine; build one with gymline sandbox image/,
    ],
    [["create", "--backend", "vm"], /--backend takes docker, process or process-unisolated, not "vm"/],
    [["create", "--task-id", "x"], /give --task <file> as well/],
    [["exec", "ffffffffffff", "--", "ls"], /there is none; gymline sandbox list/],
    [["exec", "x", "--tool", "submit", "ls"], /a command or --tool, not both/],
    [["close", "ffffffffffff"], /there is none/],
  ])("says what is wrong with %j", async (args, message) => {
    const { code, stderr } = await run(...args);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });

  it("says which tasks there are where none is meant", async () => {
    const { stderr } = await run("create", "--task", tasks, "--task-id", "nix");
    expect(stderr).toMatch(/no single task "nix"; give --task-id with one of: mean, other/);
  });

  it("says that there is no Docker, and warns of what stands in for it", async () => {
    const env = { DOCKER_HOST: "unix:///no/such/docker.sock", XDG_CACHE_HOME: join(folder, "cache") };
    const without = await gymline(["sandbox", "create"], { env });
    expect(without).toMatchObject({ code: 1, stdout: "" });
    expect(without.stderr).toMatch(/no Docker is installed or running here; start Docker/);
    const open = await gymline(["sandbox", "create", "--backend", "process-unisolated"], { env });
    expect(open.stderr).toMatch(/WITHOUT ISOLATION/);
    const options = ["--backend", "process-unisolated"];
    expect((await gymline(["sandbox", "close", open.stdout.trim(), ...options], { env })).code).toBe(0);
  });
});
