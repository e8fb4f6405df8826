import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { ProcessSandboxes } from "../../../shared/adapters/process-sandbox/process-sandboxes.ts";
import { SPEC, sandboxContract, sh } from "./contract.ts";

/** The reason why bubblewrap cannot be had here; undefined where it can. */
function bubblewrap(): string | undefined {
  const works = (): boolean =>
    spawnSync("bwrap", ["--unshare-all", "--ro-bind", "/", "/", "true"]).status === 0;
  if (works()) return undefined;
  if (process.getuid?.() === 0) {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const install = ["install", "-y", "--no-install-recommends", "bubblewrap"];
    if (spawnSync("apt-get", install, { env }).status !== 0) {
      spawnSync("apt-get", ["update"], { env });
      spawnSync("apt-get", install, { env });
    }
  }
  return works() ? undefined : "bubblewrap is not installed or does not work here";
}

const missing = bubblewrap();

for (const isolation of ["bubblewrap", "none"] as const) {
  describe(`sandboxes as processes, isolation ${isolation}`, () => {
    let ahead = 0;
    const stateFolder = mkdtempSync(join(tmpdir(), "gymline-processes-"));
    const clock = { now: () => Date.now() + ahead };
    const sandboxes = new ProcessSandboxes({ isolation, stateFolder, clock });

    beforeEach((context) => {
      ahead = 0;
      if (isolation === "bubblewrap" && missing !== undefined) context.skip(missing);
    });

    afterAll(() => rmSync(stateFolder, { recursive: true, force: true }));

    sandboxContract({
      sandboxes: () => sandboxes,
      advance: (ms) => {
        ahead += ms;
      },
    });

    it("are cleared away where their maker was ended before it was done, an hour later", async () => {
      const half = join(stateFolder, "process", "0123456789ab");
      mkdirSync(half, { recursive: true });
      expect(await sandboxes.reap()).toEqual([]);
      ahead = 61 * 60_000;
      expect(await sandboxes.reap()).toEqual(["0123456789ab"]);
      expect(existsSync(half)).toBe(false);
    });

    it("are refused an allow-list, which nothing there would hold to", async () => {
      const asked = sandboxes.create({ ...SPEC, network: { allow: ["example.org"] } });
      await expect(asked).rejects.toThrow(
        /the process backend has no network with an allow-list.*use Docker/,
      );
      expect(await sandboxes.list()).toEqual([]);
    });

    it.runIf(isolation === "bubblewrap")(
      "see programs of the host, and neither its files nor its network",
      async () => {
        const sandbox = await sandboxes.create(SPEC);
        try {
          expect((await sh(sandbox, "cat /etc/passwd /root/.bashrc; ls /home /var /work")).out).toBe("");
          expect(
            (await sh(sandbox, "touch /usr/x /x /etc/x 2>/dev/null; ls /usr/x /x /etc/x 2>/dev/null")).out,
          ).toBe("");
          expect((await sh(sandbox, "grep -c : /proc/net/dev")).out.trim()).toBe("1");
          expect((await sh(sandbox, "grep CapEff /proc/self/status")).out).toMatch(/CapEff:\s+0+$/m);
        } finally {
          await sandbox.close();
        }
      },
    );
  });
}
