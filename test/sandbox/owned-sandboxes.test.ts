import { describe, expect, it } from "vitest";
import { ProcessSandboxes } from "../../shared/adapters/process-sandbox/process-sandboxes.ts";
import type { SandboxError } from "../../shared/ports/sandbox.ts";
import { ownedSandboxes, reapOwned } from "../../shared/sandbox/owned-sandboxes.ts";
import { sandboxSpec } from "../../shared/sandbox/sandbox-limits.ts";
import { temporaryFolder } from "../factories/temporary.ts";

const MIB = 2 ** 20;
const engine = () =>
  new ProcessSandboxes({ isolation: "none", stateFolder: temporaryFolder("owned-sandboxes") });

describe("sandboxes of an owner", () => {
  it("carry its labels beside their own", async () => {
    const sandbox = await ownedSandboxes(engine(), { labels: { rollout: "r/0" } }).create(
      sandboxSpec({ labels: { task: "a" } }),
    );
    expect(sandbox.spec.labels).toEqual({ task: "a", rollout: "r/0" });
    await sandbox.close();
  });

  it("are refused where they are larger than the room that was set aside", async () => {
    const room = { cpus: 1, memoryBytes: 1024 * MIB };
    const owned = ownedSandboxes(engine(), { labels: {}, room });
    await (await owned.create(sandboxSpec())).close();
    for (const limits of [{ cpus: 1.5 }, { memoryBytes: 513 * MIB }, { diskBytes: 257 * MIB }]) {
      await expect(owned.create(sandboxSpec({ limits }))).rejects.toThrow(
        expect.objectContaining({ name: "SandboxError", reason: "refused" } satisfies Partial<SandboxError>),
      );
    }
  });

  it("are removed by the next who has the same labels, and those of others stay", async () => {
    const engineOfAll = engine();
    const make = (labels: Readonly<Record<string, string>>) =>
      ownedSandboxes(engineOfAll, { labels }).create(sandboxSpec());
    const orphan = await make({ rollout: "r/0" });
    const other = await make({ rollout: "r/1" });
    expect(await reapOwned(engineOfAll, { rollout: "r/0" })).toEqual([orphan.id]);
    expect((await engineOfAll.list()).map(({ id }) => id)).toEqual([other.id]);
    expect(await reapOwned(engineOfAll, { rollout: "r/0" })).toEqual([]);
    await other.close();
  });
});
