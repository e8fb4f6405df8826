import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { GitRepositories } from "../../shared/adapters/local/git-repositories.ts";
import { checkEnv } from "../../shared/env/check/check-env.ts";
import type { Action, TimeStep } from "../../shared/env/protocol.ts";
import { type SandboxEnv, type SandboxEnvOptions, sandboxEnv } from "../../shared/env/sandbox-env.ts";
import { SANDBOX_TOOLS } from "../../shared/env/sandbox-tools.ts";
import type { EnvTask } from "../../shared/env/task.ts";
import type { Sandboxes } from "../../shared/ports/sandbox.ts";
import { FIX, HIDDEN_TESTS, repairRepository } from "../factories/repair-task.ts";

const MIB = 2 ** 20;
const SUBMIT: Action = { tool: "submit", params: {} };

/** What the environment does, over any engine that runs Python with pytest and git. */
export function sandboxEnvContract(sandboxes: () => Sandboxes): void {
  const folder = mkdtempSync(join(tmpdir(), "gymline-env-"));
  const repository = repairRepository(folder);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const repairTask = (sandbox: Record<string, unknown> = {}): EnvTask => ({
    id: "mean",
    description: "The mean is wrong. Mend it.",
    base_commit: repository.base,
    test_command: "python3 -m pytest -q -p no:cacheprovider",
    sandbox: { repo: repository.repo, hidden_tests: HIDDEN_TESTS, ...sandbox },
  });

  const within = async (
    use: (env: SandboxEnv) => Promise<void>,
    options: Partial<SandboxEnvOptions> = {},
  ): Promise<void> => {
    const env = sandboxEnv({
      sandboxes: sandboxes(),
      repositories: new GitRepositories(),
      spec: { limits: { memoryBytes: 256 * MIB, diskBytes: 32 * MIB, pids: 128 } },
      ...options,
    });
    try {
      await use(env);
    } finally {
      await env.close();
    }
  };

  const shell = (env: SandboxEnv, command: string, more = {}): Promise<TimeStep> =>
    env.step({ tool: "shell", params: { command, ...more } });

  describe("a repair", () => {
    it("that is done is rewarded, and its twin that is not done is not", () =>
      within(async (env) => {
        const first = await env.reset({ task: repairTask() });
        expect(first.observation).toContain("The mean is wrong");
        expect(first.info["commit"]).toBe(repository.base);
        expect((await env.step(FIX)).info.exitCode).toBe(0);
        const solved = await env.step(SUBMIT);
        expect(solved).toMatchObject({ reward: 1, terminated: true, truncated: false, done: true });
        expect(solved.info).toMatchObject({ success: true, score: 1, tests: { passed: 2, failed: 0 } });
        await env.reset({ task: repairTask() });
        const unsolved = await env.step(SUBMIT);
        expect(unsolved).toMatchObject({ reward: 0, terminated: true, done: true });
        expect(unsolved.info).toMatchObject({ success: false, score: 0, tests: { passed: 0, failed: 2 } });
      }));

    it("is tested by the hidden files, whatever the agent made of the visible ones", () =>
      within(async (env) => {
        await env.reset({ task: repairTask() });
        await shell(
          env,
          "printf 'def test_nothing():\\n    pass\\n' >test_stats.py; (sleep 30; rm -f *.py) &",
        );
        expect((await env.step(SUBMIT)).info).toMatchObject({ success: false, tests: { failed: 2 } });
        await env.reset({ task: repairTask() });
        await shell(env, "rm test_stats.py; mkdir test_stats.py");
        expect((await env.step(SUBMIT)).info).toMatchObject({ success: false, tests: { failed: 2 } });
      }));

    it("that ends the tests with exit code 0 before they ran is no success where a number of them is asked for", () =>
      within(async (env) => {
        const cheat = "printf 'import os\\nos._exit(0)\\n' >stats.py";
        await env.reset({ task: repairTask({ min_tests_passed: 2 }) });
        await shell(env, cheat);
        expect((await env.step(SUBMIT)).info).toMatchObject({ success: false, testExitCode: 0 });
      }));

    it("does not show its tests, what comes after its commit, or on request what came before", () =>
      within(async (env) => {
        await env.reset({ task: repairTask() });
        expect((await shell(env, "cat test_stats.py")).observation).not.toContain("test_one");
        const log = await env.step({ tool: "git", params: { args: ["log", "--all", "--format=%s"] } });
        expect(log.observation).toBe("mean\nbegin\n[exit code 0]");
        const later = await env.step({ tool: "git", params: { args: ["cat-file", "-t", repository.fixed] } });
        expect(later.info.exitCode).not.toBe(0);
        expect((await shell(env, "grep -r 'SECRET FIX' .git; git tag; git remote -v")).observation).toBe(
          "[exit code 0]",
        );
        await env.reset({ task: repairTask({ hide_git_history: true }) });
        const hidden = await env.step({ tool: "git", params: { args: ["log", "--all", "--format=%s"] } });
        expect(hidden.observation).toBe("base\n[exit code 0]");
        expect((await env.step({ tool: "git", params: { args: ["status", "--short"] } })).observation).toBe(
          "[exit code 0]",
        );
      }));
  });

  describe("reset", () => {
    it("begins with files and setup commands, and leaves nothing of the task before", () =>
      within(async (env) => {
        const files = {
          "a/b.txt": "text",
          "run.sh": { content: "ZWNobyByYW4K", encoding: "base64", executable: true },
        };
        await env.reset({ task: { sandbox: { files, setup: ["echo made >made", "./run.sh >>made"] } } });
        expect((await shell(env, "cat a/b.txt made; echo left >/tmp/left")).observation).toContain(
          "textmade\nran\n",
        );
        await env.reset({ task: { sandbox: { files: { other: "" } } } });
        expect((await shell(env, "ls; ls /tmp/left 2>&1 | grep -c such")).observation).toBe(
          "other\n1\n[exit code 0]",
        );
      }));

    it.each([
      [{ sandbox: { files: { "../x": "" } } }, /files of task t.*leads out/],
      [
        { sandbox: { setup: ["true", "echo why; exit 3"] } },
        /setup command 2 of task t fails: why\n\[exit code 3\]/,
      ],
      [{ sandbox: { fles: {} } }, /field "sandbox" of task t.*fles/s],
      [{ sandbox: { repo: "/no/such/repository" } }, /no repository or bundle \/no\/such\/repository/],
      [{ sandbox: { repo: "ext::sh -c 'touch /tmp/owned'" } }, /there is no repository or bundle/],
      [{ sandbox: { files: { f: { content: "?", encoding: "base64" } } } }, /no base64/],
    ])("refuses a task that cannot be begun, and leaves no sandbox behind: %j", (task, message) =>
      within(async (env) => {
        const before = (await sandboxes().list()).length;
        const reset = env.reset({ task: { id: "t", ...task } });
        await expect(reset).rejects.toMatchObject({ name: "EnvTaskError", taskId: "t" });
        await expect(reset).rejects.toThrow(message);
        expect((await sandboxes().list()).length).toBe(before);
      }),
    );

    it("names a commit that the repository does not have", () =>
      within(async (env) => {
        const reset = env.reset({ task: repairTask({ base_commit: "--output=/tmp/x" }) });
        await expect(reset).rejects.toThrow(/has no commit "--output=\/tmp\/x"/);
      }));
  });

  describe("tools", () => {
    it("show both outputs and the exit code, and hold long output to the limit", () =>
      within(
        async (env) => {
          await env.reset();
          const failed = await shell(env, "echo out; echo err >&2; exit 3");
          expect(failed.observation).toBe("out\n[stderr]\nerr\n[exit code 3]");
          expect(failed.info.exitCode).toBe(3);
          const long = await shell(env, "seq 100000");
          expect(long.observation.length).toBeLessThan(700);
          expect(long.observation).toMatch(
            /^1\n2\n[\s\S]*\[… \d+ bytes left out …\][\s\S]*\n100000\n\[exit code 0\]$/,
          );
        },
        { maxOutputBytes: 500 },
      ));

    it("end a command at its time and go on after it", () =>
      within(async (env) => {
        await env.reset();
        const slow = await shell(env, "echo begun; sleep 60", { timeout_s: 0.5 });
        expect(slow.observation).toBe("begun\n[timed out after 0.5 s; every process was ended]");
        expect(slow.info).toMatchObject({ exitCode: 124, error: "timeout" });
        expect((await shell(env, "echo on")).observation).toBe("on\n[exit code 0]");
      }));

    it("read, write and edit files", () =>
      within(async (env) => {
        await env.reset();
        const step = (tool: string, params: Record<string, unknown>): Promise<TimeStep> =>
          env.step({ tool, params });
        await step("file_write", { path: "d/a b", content: "one\ntwo\nthree\n" });
        expect((await step("file_read", { path: "d/a b" })).observation).toBe("one\ntwo\nthree\n");
        const some = await step("file_read", { path: "d/a b", start_line: 2, end_line: 2 });
        expect(some.observation).toBe("two\n");
        expect((await step("file_read", { path: "d/a b", start_line: 9 })).info.error).toMatch(/has 3 lines/);
        expect((await step("edit", { path: "d/a b", old: "two", new: "2$&" })).info.exitCode).toBe(0);
        expect((await step("file_read", { path: "d/a b" })).observation).toBe("one\n2$&\nthree\n");
        expect((await step("edit", { path: "d/a b", old: "e", new: "" })).info.error).toMatch(
          /more than once/,
        );
        expect((await step("edit", { path: "d/a b", old: "zz", new: "" })).info.error).toMatch(
          /does not stand/,
        );
        expect((await step("file_read", { path: "none" })).info.error).toMatch(/no file none/);
        expect((await step("file_read", { path: "../etc/passwd" })).info.error).toMatch(/leads out/);
        expect((await step("file_write", { path: "/etc/x", content: "" })).info.error).toMatch(/leads out/);
        expect((await step("file_read", { path: "../etc/passwd" })).info.violation).toMatch(/leads out/);
        expect((await step("file_read", { path: "absent" })).info).toMatchObject({ exitCode: 1 });
        expect((await step("file_read", { path: "absent" })).info.violation).toBeUndefined();
      }));

    it("find lines, and nothing where there is none", () =>
      within(async (env) => {
        await env.reset({
          task: { sandbox: { files: { "a.py": "x = 1\ny = 2\n", "b.txt": "x\n", "-n": "x -e\n" } } },
        });
        const step = (params: Record<string, unknown>): Promise<TimeStep> =>
          env.step({ tool: "search", params });
        expect((await step({ pattern: "^x", glob: "*.py" })).observation).toBe(
          "./a.py:1:x = 1\n[exit code 0]",
        );
        expect((await step({ pattern: "-e$" })).observation).toBe("./-n:1:x -e\n[exit code 0]");
        expect((await step({ pattern: "zzz" })).observation).toBe("No matches.");
        expect((await step({ pattern: "(" })).info.exitCode).toBe(2);
        expect((await step({ pattern: "x", path: "../.." })).info.error).toMatch(/leads out/);
      }));

    it("take no argument for program text", () =>
      within(async (env) => {
        await env.reset();
        const mean = "a'; touch owned; echo '$(touch owned)`touch owned`";
        const calls: readonly Action[] = [
          { tool: "file_write", params: { path: mean, content: mean } },
          { tool: "file_read", params: { path: mean } },
          { tool: "edit", params: { path: mean, old: "echo", new: mean } },
          { tool: "search", params: { pattern: mean, path: mean, glob: mean } },
          { tool: "git", params: { args: ["log", mean] } },
          { tool: "shell", params: { command: "true", cwd: mean } },
        ];
        for (const call of calls) await env.step(call);
        expect((await shell(env, "find . -name owned | wc -l; ls | wc -l")).observation).toBe(
          "0\n1\n[exit code 0]",
        );
      }));

    it("answer what is not valid, and the episode goes on", () =>
      within(async (env) => {
        await env.reset();
        const unknown = await env.step({ tool: "fly", params: {} });
        expect(unknown.info.error).toMatch(/no tool "fly"; the tools are shell, file_read/);
        const wrong = await env.step({ tool: "shell", params: { cmd: "ls" } });
        expect(wrong.info.error).toMatch(/^shell: .*command/);
        expect(wrong.done).toBe(false);
        expect(env.tools.map(({ name }) => name)).toContain("submit");
      }));
  });

  describe("the protocol", () => {
    it("is kept, as the checks for environments have it", async () => {
      const params = ({ name }: { readonly name: string }): Record<string, unknown> | undefined =>
        ({
          shell: { command: "ls" },
          file_read: { path: "f" },
          edit: { path: "f", old: "text", new: "word" },
          search: { pattern: "text" },
          git: { args: ["--version"] },
        })[name];
      const report = await checkEnv(() => sandboxEnv({ sandboxes: sandboxes() }), {
        task: { id: "check", sandbox: { files: { f: "text" } }, test_command: "true" },
        params,
        envTools: SANDBOX_TOOLS,
        // The sandbox's id, which `info` tells, is another each time; that observations repeat, replay shows.
        deterministic: false,
        maxSteps: 4,
      });
      expect(report.findings.filter(({ verdict }) => verdict === "failed")).toEqual([]);
      expect(report.ok).toBe(true);
    });

    it("is kept: nothing before reset, after the end or after close", async () => {
      const env = sandboxEnv({ sandboxes: sandboxes() });
      const misuse = expect.objectContaining({ name: "ProtocolError" });
      await expect(env.step(SUBMIT)).rejects.toEqual(misuse);
      await env.reset();
      expect((await env.step(SUBMIT)).info).toMatchObject({ success: null, score: null });
      await expect(env.step(SUBMIT)).rejects.toEqual(misuse);
      await env.close();
      await env.close();
      await expect(env.step(SUBMIT)).rejects.toEqual(misuse);
      await expect(env.reset()).rejects.toEqual(misuse);
    });

    it("cuts an episode off when its time is over", () =>
      within(async (env) => {
        await env.reset({ task: { test_command: "test -e done", sandbox: { episode_timeout_s: 1 } } });
        const last = await shell(env, "sleep 60");
        expect(last).toMatchObject({ truncated: true, terminated: false, done: true, reward: 0 });
        expect(last.info).toMatchObject({ success: false, error: "timeout" });
        // What was done in time counts.
        await env.reset({ task: { test_command: "test -e done", sandbox: { episode_timeout_s: 1 } } });
        expect(await shell(env, "touch done; sleep 60")).toMatchObject({ truncated: true, reward: 1 });
      }));

    it("interrupts a step that is called off, and can be reset then", () =>
      within(async (env) => {
        await env.reset();
        const stop = new AbortController();
        const step = env.step({ tool: "shell", params: { command: "sleep 60" } }, stop.signal);
        setTimeout(() => stop.abort(new Error("called off")), 300);
        await expect(step).rejects.toThrow("called off");
        await env.reset();
        expect((await shell(env, "echo on")).observation).toBe("on\n[exit code 0]");
      }));

    it("goes back to a snapshot and branches off, for another way to go on", () =>
      within(async (env) => {
        await env.reset({ task: repairTask() });
        const snapshot = await env.snapshot();
        expect((await env.step(SUBMIT)).reward).toBe(0);
        const branch = await env.branch(snapshot);
        try {
          await branch.step(FIX);
          expect((await branch.step(SUBMIT)).reward).toBe(1);
        } finally {
          await branch.close();
        }
        await env.restore(snapshot);
        await env.step(FIX);
        expect((await env.step(SUBMIT)).reward).toBe(1);
      }));
  });
}
