import type { ContainerCreateOptions, HostConfig } from "dockerode";
import type { Container } from "./container.ts";
import { needOf } from "./container.ts";
import { BatchSetupError } from "./errors.ts";
import type { AttemptOrder } from "./executor.ts";

const MIB = 1024 * 1024;

interface Target {
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  /** vCPUs of Docker's machine: it refuses a container that wants more. */
  readonly hostCpus: number;
}

/**
 * The container of an attempt. It shares the host's network, so that services on loopback are within its reach.
 * @throws BatchSetupError where a mount point names no volume
 */
export function dockerOptions(
  { container, environment, taskId }: AttemptOrder,
  target: Target,
): ContainerCreateOptions {
  return {
    name: `gymline-batch-${taskId}`,
    Image: target.image,
    // An absent command leaves the image's own.
    ...(container.command.length === 0 ? {} : { Cmd: [...container.command] }),
    Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    Labels: { ...target.labels },
    ...(container.user === undefined ? {} : { User: container.user }),
    HostConfig: hostConfig(container, target),
  };
}

function hostConfig(container: Container, { hostCpus }: Target): HostConfig {
  const { vcpus, memory } = needOf(container);
  const { linuxParameters = {} } = container;
  return {
    NetworkMode: "host",
    NanoCpus: Math.round(Math.min(vcpus, hostCpus) * 1e9),
    ...(memory === 0
      ? {}
      : { Memory: memory * MIB, MemorySwap: (memory + (linuxParameters.maxSwap ?? 0)) * MIB }),
    ReadonlyRootfs: container.readonlyRootFilesystem ?? false,
    Privileged: container.privileged ?? false,
    Init: linuxParameters.initProcessEnabled ?? false,
    Ulimits: container.ulimits.map(({ name, softLimit, hardLimit }) => ({
      Name: name,
      Soft: softLimit,
      Hard: hardLimit,
    })),
    ...(linuxParameters.sharedMemorySize === undefined
      ? {}
      : { ShmSize: linuxParameters.sharedMemorySize * MIB }),
    Tmpfs: Object.fromEntries(
      (linuxParameters.tmpfs ?? []).map(({ containerPath, size, mountOptions = [] }) => [
        containerPath,
        [`size=${size}m`, ...mountOptions].join(","),
      ]),
    ),
    ...mounts(container),
  };
}

/** A volume of a host path is bound; one without is Docker's own and goes with the container. */
function mounts({ volumes, mountPoints }: Container): Pick<HostConfig, "Binds" | "Mounts"> {
  const points = mountPoints.map((point) => {
    const volume = volumes.find(({ name }) => name === point.sourceVolume);
    if (volume !== undefined) return { ...point, source: volume.host?.sourcePath };
    throw new BatchSetupError(`mount point ${point.containerPath} names no volume: ${point.sourceVolume}`);
  });
  return {
    Binds: points.flatMap(({ source, containerPath, readOnly }) =>
      source === undefined ? [] : [`${source}:${containerPath}:${readOnly ? "ro" : "rw"}`],
    ),
    Mounts: points.flatMap(({ source, containerPath, readOnly }) =>
      source === undefined
        ? [{ Type: "volume" as const, Source: "", Target: containerPath, ReadOnly: readOnly }]
        : [],
    ),
  };
}
