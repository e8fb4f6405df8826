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

it("two hundred scripted episodes side by side come to their verdicts and leave no container, volume or process", async (context) => {
  if (offer.kind === "missing") return context.skip(offer.reason);
  const { socketPath } = offer.docker;
  const result = await soakSandboxes({ socketPath, episodes: 200, atOnce: 200, seed: 11 });
  expect(result).toEqual({ solved: 100, unsolved: 100, failures: [], leaked: [] });
});
