import { createWriteStream, mkdirSync, renameSync } from "node:fs";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import Docker from "dockerode";
import { dockerOptions } from "./docker-options.ts";
import { BatchSetupError } from "./errors.ts";
import type { Executor, Exit, RunningAttempt } from "./executor.ts";
import { lookUpImage } from "./image-table.ts";

interface Setting {
  /** Local images that stand for those of the definitions; others are used by their own name. */
  readonly images: Readonly<Record<string, string>>;
  /** Docker's socket; by default the one the environment names. */
  readonly socketPath?: string;
  /** Tells the containers of this state folder from others. */
  readonly owner: string;
}

const LABEL = "gymline.batch.runner";
/** How long the last output of a container that ended may take to arrive. */
const LOG_PATIENCE_MS = 5_000;

/** An image that is not there; the name and its place in the reason are what Batch shows. */
class CannotPullContainerError extends Error {
  override readonly name = "CannotPullContainerError";
}

/**
 * Runs attempts as containers. They outlive the runner: the next one finds them again by their ids, still running
 * or ended, and learns how they ended.
 * @throws BatchSetupError where Docker does not answer
 */
export async function openDockerExecutor({ images, socketPath, owner }: Setting): Promise<Executor> {
  const docker = new Docker(socketPath === undefined ? {} : { socketPath });
  const info = await docker.info().catch((cause: unknown) => {
    throw new BatchSetupError("Docker does not answer; start it, or run jobs as processes with --no-docker", {
      cause,
    });
  });
  const hostCpus = Number((info as { readonly NCPU?: number }).NCPU ?? 1);
  const labels = { [LABEL]: owner };
  return {
    prepare: async (order) => {
      const image = lookUpImage(images, {
        image: order.container.image,
        definitionName: order.definitionName,
      });
      const options = dockerOptions(order, { image: image ?? order.container.image, labels, hostCpus });
      const container = await docker.createContainer(options).catch((cause: unknown) => {
        if (statusOf(cause) !== 404) throw cause;
        throw new CannotPullContainerError(`Docker has no image ${options.Image}; build it, or map another`);
      });
      return {
        handle: container.id,
        begin: async () => {
          try {
            await container.start();
          } catch (cause) {
            await removed(container);
            throw cause;
          }
          return attemptOf(container, order.logFile);
        },
      };
    },
    recover: async (handle, logFile) => {
      const container = docker.getContainer(handle);
      const state = await container.inspect().then(
        ({ State }) => State,
        () => null,
      );
      if (state === null) return null;
      if (state.Status !== "created") return attemptOf(container, logFile);
      await removed(container);
      return null;
    },
    clear: async (keep) => {
      const all = await docker.listContainers({ all: true, filters: { label: [`${LABEL}=${owner}`] } });
      const stray = all.filter(({ Id }) => !keep.includes(Id));
      await Promise.all(stray.map(({ Id }) => removed(docker.getContainer(Id))));
    },
  };
}

function attemptOf(container: Docker.Container, logFile: string): RunningAttempt {
  const followed = copyLogs(container, logFile);
  let stopping = false;
  return {
    ended: endOf(container, followed, logFile),
    stop: (graceSeconds) => {
      if (stopping) return;
      stopping = true;
      // It may just have ended, which is what was wanted.
      container.stop({ t: graceSeconds }).catch(() => undefined);
    },
  };
}

async function endOf(
  container: Docker.Container,
  followed: Promise<boolean>,
  logFile: string,
): Promise<Exit> {
  try {
    await container.wait();
    const { State } = await container.inspect();
    await Promise.race([followed, delay(LOG_PATIENCE_MS, undefined, { ref: false })]);
    // Docker may lose output of a container that ends while somebody begins to follow it.
    const whole = `${logFile}.whole`;
    if (await copyLogs(container, whole)) renameSync(whole, logFile);
    const reason = State.OOMKilled
      ? { reason: "OutOfMemoryError: Container killed due to memory usage" }
      : State.Error === ""
        ? {}
        : { reason: State.Error };
    return { kind: "exited", exitCode: State.ExitCode, ...reason };
  } catch {
    // Docker went away, or somebody removed the container: nobody knows how it ended.
    return { kind: "lost" };
  } finally {
    await removed(container);
  }
}

/**
 * All output from the first on, until the container ends. False where it failed: output is for people to read, and
 * losing it must not fail the job.
 */
async function copyLogs(container: Docker.Container, into: string): Promise<boolean> {
  try {
    mkdirSync(dirname(into), { recursive: true });
    const source = await container.logs({ stdout: true, stderr: true, follow: true });
    await pipeline(source as Readable, withoutFrames, createWriteStream(into));
    return true;
  } catch {
    return false;
  }
}

/**
 * The text of both outputs. Docker puts eight bytes before each piece, the last four of them its length.
 * dockerode has this too, but reads on while the file cannot keep up.
 */
async function* withoutFrames(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const chunk of stream) {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 8 && rest.length >= 8 + rest.readUInt32BE(4)) {
      const end = 8 + rest.readUInt32BE(4);
      yield rest.subarray(8, end);
      rest = rest.subarray(end);
    }
  }
}

async function removed(container: Docker.Container): Promise<void> {
  await container.remove({ force: true, v: true }).catch(() => undefined);
}

function statusOf(error: unknown): number | undefined {
  return error instanceof Error && "statusCode" in error ? Number(error.statusCode) : undefined;
}
