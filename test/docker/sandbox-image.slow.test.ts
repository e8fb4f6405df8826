import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DockerSandboxes } from "../../shared/adapters/docker/docker-sandboxes.ts";
import { GitRepositories } from "../../shared/adapters/local/git-repositories.ts";
import { sandboxEnv } from "../../shared/env/sandbox-env.ts";
import { FIX, HIDDEN_TESTS, repairRepository } from "../factories/repair-task.ts";
import { offerSandboxDocker } from "../factories/sandbox-image.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { DEBIAN, debianBase } from "./base-images.ts";
import type { DockerOffer } from "./docker.ts";
import { dockerCommand } from "./job-image.ts";

const IMAGE = "gymline-test-sandbox:latest";

describe("the image of sandboxes, from its Dockerfile", () => {
  let offer: DockerOffer;
  let docker: (...args: readonly string[]) => string;

  beforeAll(async () => {
    offer = await offerSandboxDocker();
    if (offer.kind === "missing") return;
    docker = dockerCommand(offer.docker.socketPath);
    const base = ["--build-arg", `BASE=${debianBase(docker)}`];
    docker("build", "--network", "host", ...base, "--tag", IMAGE, "containers/sandbox");
  }, 900_000);

  beforeEach((context) => {
    if (offer.kind === "missing") context.skip(offer.reason);
  });

  afterAll(async () => {
    if (offer?.kind === "ready") await offer.docker.close();
  });

  const within = (image: string, command: string): string =>
    docker("run", "--rm", "--network", "none", "--entrypoint", "sh", image, "-c", command);

  it("brings git and Python with pytest to a Debian that has neither, and runs as 1000", () => {
    expect(within(DEBIAN, "command -v git patch ps python3 || echo none")).toBe("none\n");
    expect(within(IMAGE, "id -u; id -g; pwd; echo $LANG")).toBe("1000\n1000\n/workspace\nC.UTF-8\n");
    expect(
      within(IMAGE, "python3 -m pytest --version; git --version; patch --version; ps --version"),
    ).toMatch(/^pytest \d.*\ngit version \d.*\nGNU patch \d[\s\S]*\nps from procps-ng \d.*\n$/);
    expect(within(IMAGE, "ls /var/lib/apt/lists | wc -l")).toBe("0\n");
  });

  it("is one that an episode can be played in, to its tests", async () => {
    if (offer.kind === "missing") return;
    const folder = temporaryFolder("sandbox-image");
    const { repo, base } = repairRepository(folder);
    const sandboxes = new DockerSandboxes({
      socketPath: offer.docker.socketPath,
      stateFolder: folder,
      group: randomUUID(),
    });
    const env = sandboxEnv({ sandboxes, repositories: new GitRepositories() });
    try {
      await env.reset({
        task: {
          id: "mean",
          base_commit: base,
          test_command: "python3 -m pytest -q -p no:cacheprovider",
          sandbox: { repo, image: IMAGE, hidden_tests: HIDDEN_TESTS },
        },
      });
      expect((await env.step(FIX)).info.exitCode).toBe(0);
      const ended = await env.step({ tool: "submit", params: {} });
      expect(ended.info).toMatchObject({ success: true, tests: { passed: 2, failed: 0 } });
    } finally {
      await env.close();
    }
    expect(await sandboxes.list()).toEqual([]);
  });
});
