import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DockerSandboxes } from "../../../shared/adapters/docker/docker-sandboxes.ts";
import { sandboxSpec } from "../../../shared/sandbox/sandbox-limits.ts";
import type { DockerOffer } from "../../docker/docker.ts";
import { offerSandboxDocker } from "../../factories/sandbox-image.ts";
import { SPEC, sandboxContract, sh } from "./contract.ts";

describe("sandboxes in Docker", () => {
  let offer: DockerOffer;
  let sandboxes: DockerSandboxes;
  let ahead = 0;
  const stateFolder = mkdtempSync(join(tmpdir(), "gymline-sandboxes-"));

  beforeAll(async () => {
    offer = await offerSandboxDocker();
    if (offer.kind === "missing") return;
    const { socketPath } = offer.docker;
    sandboxes = new DockerSandboxes({
      socketPath,
      stateFolder,
      clock: { now: () => Date.now() + ahead },
      group: randomUUID(),
    });
  }, 600_000);

  beforeEach((context) => {
    ahead = 0;
    if (offer.kind === "missing") context.skip(offer.reason);
  });

  afterAll(async () => {
    if (offer?.kind === "ready") await offer.docker.close();
    rmSync(stateFolder, { recursive: true, force: true });
  });

  sandboxContract({
    sandboxes: () => sandboxes,
    advance: (ms) => {
      ahead += ms;
    },
  });

  it("tell a command that ran out of memory from one that was killed", async () => {
    const sandbox = await sandboxes.create(SPEC);
    try {
      const hungry = "python3 -c 'x = bytearray(900_000_000)'";
      expect((await sh(sandbox, `exec ${hungry}`)).end).toEqual({ kind: "out-of-memory" });
      expect((await sh(sandbox, "kill -9 $$")).end).toEqual({ kind: "exit", code: 137 });
      expect((await sh(sandbox, `exec ${hungry}`)).end).toEqual({ kind: "out-of-memory" });
      const opened = await sandboxes.open(sandbox.id);
      expect((await sh(opened, "kill -9 $$")).end).toEqual({ kind: "exit", code: 137 });
      expect((await sh(opened, `exec ${hungry}`)).end).toEqual({ kind: "out-of-memory" });
    } finally {
      await sandbox.close();
    }
  });

  it("end by themselves when their time is over, whoever is there to see to it", async () => {
    const sandbox = await sandboxes.create(sandboxSpec({ limits: { lifetimeMs: 2000 } }));
    // As if the program that made it were gone: nobody closes it.
    const gone = async (): Promise<boolean> => !(await sandboxes.list()).some(({ id }) => id === sandbox.id);
    await expect.poll(gone, { timeout: 60_000, interval: 500 }).toBe(true);
    await expect(sh(sandbox, "echo x")).rejects.toMatchObject({ reason: "lost" });
    await sandbox.close();
  });

  it("name an image that is not there, and what to do", async () => {
    const missing = sandboxes.create(sandboxSpec({ image: "no/such-image:9" }));
    await expect(missing).rejects.toMatchObject({ reason: "unavailable" });
    await expect(missing).rejects.toThrow(/no\/such-image:9 is not on this machine.*gymline sandbox image/);
  });
});
