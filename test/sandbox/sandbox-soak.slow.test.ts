import { afterAll, beforeAll, expect, it } from "vitest";
import type { DockerOffer } from "../docker/docker.ts";
import { offerSandboxDocker } from "../factories/sandbox-image.ts";
import { soakSandboxes } from "../factories/sandbox-soak.ts";

let offer: DockerOffer;

beforeAll(async () => {
  offer = await offerSandboxDocker();
}, 600_000);

afterAll(async () => {
  if (offer?.kind === "ready") await offer.docker.close();
});

it("twelve scripted episodes, four at once, come to their verdicts and leave nothing behind", async (context) => {
  if (offer.kind === "missing") return context.skip(offer.reason);
  const { socketPath } = offer.docker;
  const result = await soakSandboxes({ socketPath, episodes: 12, atOnce: 4, seed: 7 });
  expect(result).toEqual({ solved: 6, unsolved: 6, failures: [], leaked: [] });
});
