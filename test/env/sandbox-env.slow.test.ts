import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect } from "vitest";
import { DockerSandboxes } from "../../shared/adapters/docker/docker-sandboxes.ts";
import type { DockerOffer } from "../docker/docker.ts";
import { offerSandboxDocker } from "../factories/sandbox-image.ts";
import { sandboxEnvContract } from "./sandbox-env.contract.ts";

describe("the sandbox environment over Docker", () => {
  let offer: DockerOffer;
  let sandboxes: DockerSandboxes;
  const stateFolder = mkdtempSync(join(tmpdir(), "gymline-sandboxes-"));

  beforeAll(async () => {
    offer = await offerSandboxDocker();
    if (offer.kind === "ready")
      sandboxes = new DockerSandboxes({
        socketPath: offer.docker.socketPath,
        stateFolder,
        group: randomUUID(),
      });
  }, 600_000);

  beforeEach((context) => {
    if (offer.kind === "missing") context.skip(offer.reason);
  });

  afterAll(async () => {
    if (offer?.kind === "ready") {
      expect(await sandboxes.list()).toEqual([]);
      await offer.docker.close();
    }
    rmSync(stateFolder, { recursive: true, force: true });
  });

  sandboxEnvContract(() => sandboxes);
});
