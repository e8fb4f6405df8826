import { mkdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import Docker from "dockerode";
import {
  buildDebianImage,
  DEBIAN_IMAGE,
  EGRESS_PACKAGES,
} from "../../shared/adapters/docker/debian-image.ts";
import { EGRESS_IMAGE } from "../../shared/adapters/docker/egress-options.ts";
import { DEFAULT_IMAGE } from "../../shared/sandbox/sandbox-limits.ts";
import { type DockerOffer, offerDocker } from "../docker/docker.ts";

const LOCK = join(tmpdir(), "gymline-sandbox-image.lock");
const BUILD_MS = 540_000;

/** Docker with the images of sandboxes and their proxy, built once, which stay for the next test; or why there is none. */
export async function offerSandboxDocker(): Promise<DockerOffer> {
  const offer = await offerDocker();
  if (offer.kind === "missing") return offer;
  try {
    await ensureImage(offer.docker.socketPath);
    return offer;
  } catch (error) {
    await offer.docker.close();
    const reason = `no images of sandboxes to test with: ${error instanceof Error ? error.message : String(error)}`;
    if (process.env["CI"]) throw new Error(reason, { cause: error });
    process.stderr.write(`\n*** SKIPPING the tests with sandboxes: ${reason}\n\n`);
    return { kind: "missing", reason };
  }
}

async function ensureImage(socketPath: string): Promise<void> {
  const docker = new Docker({ socketPath });
  const present = (image: string): Promise<boolean> =>
    docker
      .getImage(image)
      .inspect()
      .then(
        () => true,
        () => false,
      );
  const both = async (): Promise<boolean> =>
    (await Promise.all([present(DEFAULT_IMAGE), present(EGRESS_IMAGE)])).every(Boolean);
  if (await both()) return;
  const free = await lock();
  try {
    if (await both()) return;
    // One build for both: debootstrap takes a minute, the packages of the second a few seconds more.
    const packages = [...DEBIAN_IMAGE.packages, ...EGRESS_PACKAGES];
    await buildDebianImage({ ...DEBIAN_IMAGE, packages, image: EGRESS_IMAGE, socketPath });
    if (await present(DEFAULT_IMAGE)) return;
    const [repo = "", tag = ""] = DEFAULT_IMAGE.split(":");
    await docker.getImage(EGRESS_IMAGE).tag({ repo, tag });
  } finally {
    free();
  }
}

/** Test files run side by side, and one build is enough. */
async function lock(): Promise<() => void> {
  for (;;) {
    try {
      mkdirSync(LOCK);
      return () => rmSync(LOCK, { recursive: true, force: true });
    } catch {
      const age = Date.now() - (statSync(LOCK, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
      if (age > BUILD_MS) rmSync(LOCK, { recursive: true, force: true });
      await delay(500);
    }
  }
}
