import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { ExecResult, Sandbox, Sandboxes } from "../../../shared/ports/sandbox.ts";
import { sandboxSpec } from "../../../shared/sandbox/sandbox-limits.ts";

const MIB = 2 ** 20;

export interface SandboxesUnderTest {
  readonly sandboxes: () => Sandboxes;
  /** Moves the clock of the adapter. */
  readonly advance: (ms: number) => void;
}

export const SPEC = sandboxSpec({ limits: { memoryBytes: 256 * MIB, diskBytes: 16 * MIB, pids: 64 } });

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function text(of: Uint8Array | "missing"): string {
  return of === "missing" ? "missing" : new TextDecoder().decode(of);
}

export async function sh(
  sandbox: Sandbox,
  command: string,
  timeoutMs = 30_000,
): Promise<ExecResult & { out: string }> {
  const result = await sandbox.exec({ command: ["sh", "-c", command], timeoutMs, maxOutputBytes: 10_000 });
  return { ...result, out: text(result.stdout) };
}

/** What every engine of sandboxes promises. */
export function sandboxContract(under: SandboxesUnderTest): void {
  const within = async (use: (sandbox: Sandbox) => Promise<void>, spec = SPEC): Promise<void> => {
    const sandbox = await under.sandboxes().create(spec);
    try {
      await use(sandbox);
    } finally {
      await sandbox.close();
    }
  };
  const refused = expect.objectContaining({ name: "SandboxError", reason: "refused" });
  const lost = expect.objectContaining({ name: "SandboxError", reason: "lost" });

  describe("commands", () => {
    it("get arguments as they are, stdin, and give both outputs and the exit code", () =>
      within(async (sandbox) => {
        const script = 'cat; printf "%s|" "$@" >&2; exit 7';
        const result = await sandbox.exec({
          command: ["sh", "-c", script, "sh", "a b", "$HOME", "`id`", "", "'\"", "é"],
          stdin: bytes("given\n"),
          timeoutMs: 30_000,
          maxOutputBytes: 1000,
        });
        expect(text(result.stdout)).toBe("given\n");
        expect(text(result.stderr)).toBe("a b|$HOME|`id`||'\"|é|");
        expect(result.end).toEqual({ kind: "exit", code: 7 });
        expect(result.dropped).toEqual({ stdout: 0, stderr: 0 });
      }));

    it("run in the workspace or a folder of it, with variables of their own", () =>
      within(async (sandbox) => {
        await sh(sandbox, "mkdir sub");
        const run = { timeoutMs: 30_000, maxOutputBytes: 1000 };
        const { stdout } = await sandbox.exec({ command: ["pwd"], ...run });
        expect(text(stdout)).toBe(`${sandbox.spec.workspace}\n`);
        const env = { WORD: "a'b" };
        const below = await sandbox.exec({
          command: ["sh", "-c", 'pwd; echo "$WORD"'],
          cwd: "sub",
          env,
          ...run,
        });
        expect(text(below.stdout)).toBe(`${sandbox.spec.workspace}/sub\na'b\n`);
      }));

    it("see nothing of the environment of this program", () =>
      within(async (sandbox) => {
        process.env["GYMLINE_TEST_SECRET"] = "secret-of-the-host";
        try {
          expect((await sh(sandbox, "env")).out).not.toContain("secret-of-the-host");
        } finally {
          delete process.env["GYMLINE_TEST_SECRET"];
        }
      }));

    it("give an exit code where there is no such program", () =>
      within(async (sandbox) => {
        const run = { timeoutMs: 30_000, maxOutputBytes: 1000 };
        const { end } = await sandbox.exec({ command: ["no-such-program"], ...run });
        expect(end.kind === "exit" && end.code > 0).toBe(true);
      }));

    it("are ended in time with all that they started", () =>
      within(async (sandbox) => {
        const { end, out } = await sh(sandbox, "echo begun; (sleep 71 & sleep 71) & sleep 71", 500);
        expect(end).toEqual({ kind: "timeout" });
        expect(out).toBe("begun\n");
        const left = await sh(
          sandbox,
          'for f in /proc/[0-9]*/cmdline; do tr "\\0" " " <"$f" 2>/dev/null; echo; done',
        );
        expect(left.out).not.toMatch(/^sleep 71/m);
      }));

    it("end when their program does, whatever it left running", () =>
      within(async (sandbox) => {
        const { end, out } = await sh(sandbox, "sleep 60 & echo done", 20_000);
        expect(end).toEqual({ kind: "exit", code: 0 });
        expect(out).toBe("done\n");
      }));

    it("that write without an end are held to the limit, the middle left out and counted", () =>
      within(async (sandbox) => {
        const { end, stdout, dropped } = await sandbox.exec({
          command: ["sh", "-c", "echo first; head -c 5000000 /dev/zero; echo; echo last"],
          timeoutMs: 60_000,
          maxOutputBytes: 100,
        });
        expect(end).toEqual({ kind: "exit", code: 0 });
        expect(stdout).toHaveLength(100);
        expect(text(stdout).startsWith("first\n")).toBe(true);
        expect(text(stdout).endsWith("\nlast\n")).toBe(true);
        expect(dropped.stdout).toBe(5_000_000 + 12 - 100);
      }));

    it("lose nothing of their output at the end, time after time", () =>
      within(async (sandbox) => {
        for (let round = 0; round < 5; round += 1) {
          const { stdout, dropped } = await sandbox.exec({
            command: ["sh", "-c", "head -c 8000000 /dev/zero; echo last"],
            timeoutMs: 60_000,
            maxOutputBytes: 10,
          });
          expect(text(stdout)).toBe("\0\0\0\0\0last\n");
          expect(dropped.stdout).toBe(8_000_005 - 10);
        }
      }));

    it("stop when they are called off, and the sandbox goes on", () =>
      within(async (sandbox) => {
        const stop = new AbortController();
        const running = sandbox.exec(
          { command: ["sleep", "60"], timeoutMs: 60_000, maxOutputBytes: 100 },
          stop.signal,
        );
        void delay(300).then(() => stop.abort(new Error("called off")));
        await expect(running).rejects.toThrow("called off");
        expect((await sh(sandbox, "echo on")).out).toBe("on\n");
      }));

    it("that are none are refused", () =>
      within(async (sandbox) => {
        const run = { timeoutMs: 1000, maxOutputBytes: 100 };
        await expect(sandbox.exec({ command: [], ...run })).rejects.toEqual(refused);
        await expect(sandbox.exec({ command: ["echo", "a\0b"], ...run })).rejects.toEqual(refused);
        await expect(sandbox.exec({ command: ["ls"], env: { "A=B": "" }, ...run })).rejects.toEqual(refused);
        await expect(sandbox.exec({ command: ["ls"], ...run, timeoutMs: 0 })).rejects.toEqual(refused);
      }));
  });

  describe("files", () => {
    it("come back as they were put, bytes, folders and the right to be executed", () =>
      within(async (sandbox) => {
        const all = Uint8Array.from({ length: 256 }, (_, index) => index);
        const odd = "a b/'\"$x\n/-n é";
        await sandbox.put([
          { path: odd, bytes: all },
          { path: "run.sh", bytes: bytes("#!/bin/sh\necho ran\n"), mode: 0o755 },
          { path: "empty", bytes: new Uint8Array() },
        ]);
        expect(await sandbox.get(odd, { maxBytes: 256 })).toEqual(Buffer.from(all));
        expect(text(await sandbox.get("empty", { maxBytes: 1 }))).toBe("");
        expect((await sh(sandbox, "./run.sh")).out).toBe("ran\n");
        expect(await sandbox.get("none", { maxBytes: 1 })).toBe("missing");
        await sandbox.put([{ path: "run.sh", bytes: bytes("#!/bin/sh\necho again\n") }]);
        expect((await sh(sandbox, "./run.sh")).out).toBe("again\n");
      }));

    it("replace what stands in their place: a file, a link, a folder, one in a folder that was closed", () =>
      within(async (sandbox) => {
        await sh(
          sandbox,
          "echo old >file; ln -s file link; mkdir -p folder/below; mkdir shut; chmod 555 shut",
        );
        const paths = ["file", "link", "folder", "shut/inside"];
        await sandbox.put(paths.map((path) => ({ path, bytes: bytes(`new ${path}`) })));
        for (const path of paths) expect(text(await sandbox.get(path, { maxBytes: 99 }))).toBe(`new ${path}`);
      }));

    it("that are larger than asked for are refused", () =>
      within(async (sandbox) => {
        await sandbox.put([{ path: "f", bytes: bytes("12345") }]);
        await expect(sandbox.get("f", { maxBytes: 4 })).rejects.toEqual(refused);
        expect(text(await sandbox.get("f", { maxBytes: 5 }))).toBe("12345");
      }));

    it("have no way out of the workspace, by their names or by links", () =>
      within(async (sandbox) => {
        await sh(
          sandbox,
          "ln -s /etc etc; ln -s /etc/hostname name; ln -s ../.. up; mkfifo pipe; ln -s nowhere dangling",
        );
        for (const path of ["../x", "/etc/passwd", "a/../../x", "", ".", "x\0y"]) {
          await expect(sandbox.get(path, { maxBytes: 9999 })).rejects.toEqual(refused);
          await expect(sandbox.put([{ path, bytes: bytes("x") }])).rejects.toEqual(refused);
        }
        for (const path of ["name", "etc/hostname", "up/etc/hostname", "pipe", "etc"]) {
          const got = await sandbox.get(path, { maxBytes: 9999 }).catch((error: unknown) => error);
          expect([refused, "missing"]).toContainEqual(got);
        }
        for (const path of ["etc/x", "up/x", "up/tmp/x"]) {
          await expect(sandbox.put([{ path, bytes: bytes("x") }])).rejects.toEqual(refused);
        }
        expect(await sandbox.get("dangling", { maxBytes: 1 })).toBe("missing");
      }));

    it("may be many", () =>
      within(async (sandbox) => {
        const files = Array.from({ length: 1203 }, (_, index) => ({
          path: `d${index % 7}/e${index % 11}/f${index}`,
          bytes: bytes(String(index)),
        }));
        await sandbox.put(files);
        expect((await sh(sandbox, "find . -type f | wc -l")).out.trim()).toBe("1203");
        expect(text(await sandbox.get("d5/e3/f1202", { maxBytes: 9 }))).toBe("1202");
      }));
  });

  describe("snapshots", () => {
    it("bring the workspace back, with links, modes and what was removed, and without what came later", () =>
      within(async (sandbox) => {
        await sh(
          sandbox,
          "mkdir d; echo one >d/f; ln -s d/f l; echo x >run; chmod 750 run; mkdir shut; chmod 500 shut",
        );
        const before = (await sh(sandbox, "ls -lR | grep -v ^total | sed 's/ [A-Z][a-z][a-z] .*:.. / /'"))
          .out;
        const first = await sandbox.snapshot();
        await sh(sandbox, "rm -r d l; echo two >new; chmod 755 run");
        const second = await sandbox.snapshot();
        expect(await sandbox.snapshots()).toEqual([first, second]);
        await sandbox.restore(first);
        expect((await sh(sandbox, "ls -lR | grep -v ^total | sed 's/ [A-Z][a-z][a-z] .*:.. / /'")).out).toBe(
          before,
        );
        expect(text(await sandbox.get("l", { maxBytes: 9 }))).toBe("one\n");
        await sandbox.restore(second);
        expect((await sh(sandbox, "ls")).out).toBe("new\nrun\nshut\n");
        await expect(sandbox.restore("000009-00000000")).rejects.toEqual(refused);
        await expect(sandbox.restore("../../etc")).rejects.toEqual(refused);
      }));

    it("can be branched from, and the branches do not see each other", () =>
      within(async (sandbox) => {
        await sandbox.put([{ path: "f", bytes: bytes("base") }]);
        const snapshot = await sandbox.snapshot();
        await sandbox.put([{ path: "f", bytes: bytes("left") }]);
        const branch = await sandbox.branch(snapshot);
        try {
          expect(text(await branch.get("f", { maxBytes: 9 }))).toBe("base");
          await branch.put([{ path: "f", bytes: bytes("right") }]);
          expect(text(await sandbox.get("f", { maxBytes: 9 }))).toBe("left");
        } finally {
          await branch.close();
        }
      }));

    it("of a workspace with a hole larger than any disk are refused", () =>
      within(async (sandbox) => {
        const { end } = await sh(
          sandbox,
          "truncate -s 15M a && for i in b c d; do cp --sparse=always a $i; done",
        );
        expect(end).toEqual({ kind: "exit", code: 0 });
        await expect(sandbox.snapshot()).rejects.toEqual(refused);
        expect(await sandbox.snapshots()).toEqual([]);
      }));
  });

  describe("life", () => {
    it("is told by list and can be taken up by another program until it is closed", async () => {
      const labels = { run: "contract", task: "é'\"" };
      const sandbox = await under.sandboxes().create({ ...SPEC, labels });
      try {
        const listed = (await under.sandboxes().list()).find(({ id }) => id === sandbox.id);
        expect(listed).toMatchObject({ labels, state: "running", expiresAt: sandbox.expiresAt });
        await sandbox.put([{ path: "f", bytes: bytes("kept") }]);
        const again = await under.sandboxes().open(sandbox.id.slice(0, 8));
        expect(again.id).toBe(sandbox.id);
        expect(again.spec).toEqual(sandbox.spec);
        expect(text(await again.get("f", { maxBytes: 9 }))).toBe("kept");
      } finally {
        await sandbox.close();
        await sandbox.close();
      }
      expect((await under.sandboxes().list()).map(({ id }) => id)).not.toContain(sandbox.id);
      await expect(under.sandboxes().open(sandbox.id)).rejects.toEqual(lost);
      await expect(sh(sandbox, "echo x")).rejects.toEqual(lost);
    });

    it("ends at its time, for commands and for the reaper, which leaves others alone", async () => {
      const sandboxes = under.sandboxes();
      const short = await sandboxes.create({ ...SPEC, limits: { ...SPEC.limits, lifetimeMs: 600_000 } });
      const long = await sandboxes.create({ ...SPEC, limits: { ...SPEC.limits, lifetimeMs: 6_000_000 } });
      try {
        await short.snapshot();
        expect(await sandboxes.reap()).not.toContain(short.id);
        under.advance(700_000);
        await expect(sh(short, "echo x")).rejects.toEqual(lost);
        const reaped = await sandboxes.reap();
        expect(reaped).toContain(short.id);
        expect(reaped).not.toContain(long.id);
        expect(await short.snapshots()).toEqual([]);
        expect((await sh(long, "echo x")).out).toBe("x\n");
      } finally {
        await long.close();
        await short.close();
      }
    });

    it("is not begun where the request is called off", async () => {
      const before = (await under.sandboxes().list()).length;
      await expect(under.sandboxes().create(SPEC, AbortSignal.abort(new Error("no")))).rejects.toThrow("no");
      expect((await under.sandboxes().list()).length).toBe(before);
    });

    it("is refused with limits, paths or a network that it cannot have", async () => {
      const create = (spec: Parameters<typeof sandboxSpec>[0]): Promise<Sandbox> =>
        under.sandboxes().create(sandboxSpec(spec));
      await expect(create({ limits: { memoryBytes: 1 } })).rejects.toEqual(refused);
      await expect(create({ limits: { cpus: Number.NaN } })).rejects.toEqual(refused);
      await expect(create({ env: { "A B": "" } })).rejects.toEqual(refused);
      await expect(create({ network: { allow: ["*.com"] } })).rejects.toEqual(refused);
      await expect(create({ network: { allow: [] } })).rejects.toEqual(refused);
    });
  });
}
