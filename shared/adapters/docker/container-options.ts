import type { ContainerCreateOptions } from "dockerode";
import type { SandboxSpec } from "../../ports/sandbox.ts";
import { KEEPER } from "./docker-runner.ts";
import { proxyVariables } from "./egress.ts";

/** Names of labels that tell a sandbox from other containers, with all that is needed to open it again. */
export const LABEL = {
  mark: "gymline.sandbox",
  expires: "gymline.sandbox.expires",
  spec: "gymline.sandbox.spec",
} as const;

const USER_ID = 1000;
const INODE_BYTES = 4096;
const MIB = 2 ** 20;

/**
 * The isolation of a sandbox. Whatever is not switched off here, Docker's defaults already keep away: its seccomp
 * profile, masked and read-only paths of /proc, no devices, a mount, process and IPC namespace of its own.
 */
export function containerOptions(request: {
  readonly spec: SandboxSpec;
  /** The image's content id, so that a name that moves meanwhile does not matter. */
  readonly imageId: string;
  readonly expiresAt: number;
  readonly group: string;
}): ContainerCreateOptions {
  const { spec, imageId, expiresAt, group } = request;
  const { memoryBytes, cpus, pids, diskBytes, lifetimeMs } = spec.limits;
  const inodes = Math.max(1024, Math.floor(diskBytes / INODE_BYTES));
  const place = `rw,exec,nosuid,nodev,size=${diskBytes},nr_inodes=${inodes},uid=${USER_ID},gid=${USER_ID}`;
  // Files of workspace and /tmp are in memory and count for it: full disks must not end the container.
  const memory = Math.ceil(memoryBytes + 2 * diskBytes);
  return {
    Image: imageId,
    // The container ends with it, and Docker then removes the container, whatever became of this program.
    Entrypoint: ["sleep", String(Math.ceil(lifetimeMs / 1000))],
    Cmd: [],
    User: KEEPER,
    WorkingDir: spec.workspace,
    Hostname: "sandbox",
    Env: Object.entries({
      HOME: "/tmp",
      ...(spec.network === "none" ? {} : proxyVariables()),
      ...spec.env,
    }).map(([name, value]) => `${name}=${value}`),
    Labels: {
      [LABEL.mark]: group,
      [LABEL.expires]: String(expiresAt),
      [LABEL.spec]: JSON.stringify(spec),
    },
    // An allow-list changes nothing here: what it lets out goes by the loopback interface (egress.ts).
    NetworkDisabled: true,
    OpenStdin: false,
    Healthcheck: { Test: ["NONE"] },
    HostConfig: {
      AutoRemove: true,
      Init: true,
      NetworkMode: "none",
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges:true"],
      ReadonlyRootfs: true,
      Tmpfs: { [spec.workspace]: `${place},mode=0755`, "/tmp": `${place},mode=1777` },
      ShmSize: Math.min(diskBytes, 64 * MIB),
      Memory: memory,
      MemorySwap: memory,
      NanoCpus: Math.round(cpus * 1e9),
      PidsLimit: pids,
      Ulimits: [
        { Name: "core", Soft: 0, Hard: 0 },
        { Name: "nofile", Soft: 4096, Hard: 4096 },
      ],
      // Where the host itself runs short of memory, a sandbox goes first.
      OomScoreAdj: 500,
      IpcMode: "private",
      LogConfig: { Type: "none", Config: {} },
      RestartPolicy: { Name: "no" },
      ...(spec.runtime === undefined ? {} : { Runtime: spec.runtime }),
    },
  };
}
