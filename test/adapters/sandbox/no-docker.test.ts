import { join } from "node:path";
import { expect, it } from "vitest";
import { DockerSandboxes } from "../../../shared/adapters/docker/docker-sandboxes.ts";
import { sandboxSpec } from "../../../shared/sandbox/sandbox-limits.ts";
import { temporaryFolder } from "../../factories/temporary.ts";

it("says that there is no Docker, and what to do instead", async () => {
  const folder = temporaryFolder();
  const sandboxes = new DockerSandboxes({ socketPath: join(folder, "docker.sock"), stateFolder: folder });
  for (const asked of [sandboxes.create(sandboxSpec()), sandboxes.list(), sandboxes.reap()]) {
    await expect(asked).rejects.toMatchObject({ name: "SandboxError", reason: "unavailable" });
    await expect(asked).rejects.toThrow(/no Docker is installed or running here; start Docker/);
  }
});
