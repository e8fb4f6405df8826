import { join } from "node:path";
import type Docker from "dockerode";
import { z } from "zod";
import type { Clock } from "../../ports/clock.ts";
import {
  type Sandbox,
  SandboxError,
  type Sandboxes,
  type SandboxSpec,
  type SandboxSummary,
} from "../../ports/sandbox.ts";
import { checkSpec } from "../../sandbox/sandbox-limits.ts";
import { sandboxSpecSchema } from "../../sandbox/spec-schema.ts";
import { systemClock } from "../local/system-clock.ts";
import { CommandSandbox, type CommandSandboxParts } from "../sandbox-files/command-sandbox.ts";
import { defaultStateFolder, SnapshotFiles } from "../sandbox-files/snapshot-files.ts";
import { containerOptions, LABEL } from "./container-options.ts";
import { dockerFault, statusOf } from "./docker-fault.ts";
import { DockerRunner } from "./docker-runner.ts";
import { Egress } from "./egress.ts";
import type { EgressOptions } from "./egress-options.ts";

/*
 * Sandboxes in Docker containers, for output of models that nobody has looked at.
 *
 * Covered: no network, or by an HTTP proxy the hosts of an allow-list and no private, link-local or other special
 * address, whatever a name leads to (egress.ts); two users that are not root, one for commands and one for what keeps
 * the container alive; no capabilities and no way to gain any (no-new-privileges); Docker's default seccomp profile,
 * without which nothing is created; a root file system that cannot be written to; limits on memory without swap,
 * processes, processor, files and lifetime, which hold inside the container as well; nothing of the host mounted, the
 * Docker socket least of all.
 *
 * NOT covered:
 * - Faults of the kernel, which all containers share, and of the container runtime. Give `runtime` (`runsc` of gVisor,
 *   `kata-runtime`) where that matters, and keep the host a machine of its own.
 * - Side channels between sandboxes on one machine (time, caches), and how busy the disk and memory bus of it are.
 * - What a sandbox does to itself: it may fill its own workspace, end its own processes, and lie in its own output.
 * - Whoever may talk to Docker is root on the host; that is this program, never what runs in a sandbox.
 * - What the hosts of an allow-list do with what they are sent: a sandbox can tell them all it knows, look up any name
 *   below a `*.host` (which carries data to its name servers), and reach by a tunnel whatever they pass on, such as other
 *   customers of the same CDN: the name in the TLS handshake is not looked at. Bytes and rates are not limited.
 * - Faults of the image: it runs what its owner put in. An image is never pulled here.
 */

export interface DockerSandboxesOptions {
  /** Path of the socket; DOCKER_HOST or the usual place where absent. */
  readonly socketPath?: string;
  /** Where snapshots lie; a folder in the user's cache where absent. */
  readonly stateFolder?: string;
  readonly clock?: Clock;
  /** Whose sandboxes these are: those of another group on the same engine are neither listed nor reaped. */
  readonly group?: string;
  /** How sandboxes with an allow-list get out. */
  readonly egress?: EgressOptions;
}

const DEFAULT_GROUP = "gymline";
/** A container that was created but not started within this time belongs to a program that is gone. */
const STRAY_MS = 600_000;
const ID_LENGTH = 12;

export class DockerSandboxes implements Sandboxes {
  readonly kind = "docker";
  readonly #socketPath: string | undefined;
  #client: Promise<Docker> | undefined;
  readonly #snapshots: SnapshotFiles;
  readonly #clock: Clock;
  readonly #group: string;
  readonly #egressOptions: EgressOptions;
  #engine: Promise<void> | undefined;

  constructor({
    socketPath,
    stateFolder,
    clock = systemClock,
    group = DEFAULT_GROUP,
    egress = {},
  }: DockerSandboxesOptions = {}) {
    this.#socketPath = socketPath;
    this.#snapshots = new SnapshotFiles(join(stateFolder ?? defaultStateFolder(), "docker-snapshots"));
    this.#clock = clock;
    this.#group = group;
    this.#egressOptions = egress;
  }

  async create(spec: SandboxSpec, signal?: AbortSignal): Promise<Sandbox> {
    checkSpec(spec);
    signal?.throwIfAborted();
    await this.#checkedEngine();
    const imageId = await this.#imageId(spec.image);
    const expiresAt = this.#clock.now() + spec.limits.lifetimeMs;
    const what = `no sandbox can be created from image ${spec.image}`;
    const docker = await this.#docker();
    const wayOut = await this.#wayOut(docker, spec);
    const container = await asking(what, () =>
      docker.createContainer(containerOptions({ spec, imageId, expiresAt, group: this.#group })),
    );
    const sandbox = this.#sandbox(docker, { id: container.id.slice(0, ID_LENGTH), spec, expiresAt });
    try {
      signal?.throwIfAborted();
      await asking(what, () => container.start());
      signal?.throwIfAborted();
      await wayOut?.(sandbox.id);
      signal?.throwIfAborted();
      return sandbox;
    } catch (error) {
      await sandbox.close();
      throw error;
    }
  }

  async open(id: string): Promise<Sandbox> {
    const all = await this.#containers();
    const [found, another] = all.filter(({ Id }) => id !== "" && Id.startsWith(id.slice(0, ID_LENGTH)));
    if (found === undefined || another !== undefined) {
      const why = found === undefined ? "there is none" : "there are several";
      const message = `no sandbox can be opened as ${JSON.stringify(id)}: ${why}; gymline sandbox list tells which there are`;
      throw new SandboxError(message, { reason: found === undefined ? "lost" : "refused" });
    }
    const known = found.Id.slice(0, ID_LENGTH);
    const spec = readSpec(found.Labels[LABEL.spec]);
    if (spec === undefined) {
      const message = `sandbox ${known} is none of this program's version; remove it with docker rm -f ${known}`;
      throw new SandboxError(message, { reason: "failed" });
    }
    const expiresAt = Number(found.Labels[LABEL.expires]);
    return this.#sandbox(await this.#docker(), { id: known, spec, expiresAt, wasUsed: true });
  }

  async list(): Promise<readonly SandboxSummary[]> {
    const containers = await this.#containers();
    return containers.map(({ Id, Image, Created, Labels, State }) => {
      const id = Id.slice(0, ID_LENGTH);
      // One that another version of this program made is listed all the same.
      const { image, labels } = readSpec(Labels[LABEL.spec]) ?? { image: Image, labels: {} };
      const state = State === "running" || State === "created" ? "running" : "ended";
      const expiresAt = Number(Labels[LABEL.expires]);
      return { id, image, labels, createdAt: Created * 1000, expiresAt, state };
    });
  }

  async reap(): Promise<readonly string[]> {
    const now = this.#clock.now();
    const containers = await this.#containers();
    const over = containers.filter(({ Created, Labels, State }) => {
      if (Number(Labels[LABEL.expires]) <= now) return true;
      if (State === "created") return Created * 1000 + STRAY_MS <= now;
      return State === "exited" || State === "dead";
    });
    const ids: string[] = [];
    const docker = await this.#docker();
    for (const { Id } of over) {
      const id = Id.slice(0, ID_LENGTH);
      await new DockerRunner(docker, id).remove();
      await this.#snapshots.drop(id);
      ids.push(id);
    }
    await this.#egress(docker).reap(async () => {
      const left = await this.#containers();
      return new Set(left.map(({ Id }) => Id.slice(0, ID_LENGTH)));
    });
    await this.#snapshots.reap(now);
    return ids;
  }

  /** Loaded when it is first needed: whoever has no use for Docker need not wait for its client. */
  #docker(): Promise<Docker> {
    const socketPath = this.#socketPath;
    this.#client ??= import("dockerode").then(({ default: Client }) =>
      socketPath === undefined ? new Client() : new Client({ socketPath }),
    );
    return this.#client;
  }

  async #containers(): Promise<readonly Docker.ContainerInfo[]> {
    const docker = await this.#docker();
    const filters = { label: [`${LABEL.mark}=${this.#group}`] };
    return asking("sandboxes cannot be listed", () => docker.listContainers({ all: true, filters }));
  }

  #sandbox(docker: Docker, of: Pick<CommandSandboxParts, "id" | "spec" | "expiresAt" | "wasUsed">): Sandbox {
    return new CommandSandbox({
      ...of,
      runner: new DockerRunner(docker, of.id, of.spec.network === "none" ? undefined : this.#egress(docker)),
      snapshots: this.#snapshots,
      clock: this.#clock,
      create: (spec) => this.create(spec),
    });
  }

  #egress(docker: Docker): Egress {
    return new Egress({ docker, options: this.#egressOptions, group: this.#group });
  }

  /** What gives a sandbox of an allow-list its way out, looked at before anything is made; undefined: it has none. */
  async #wayOut(
    docker: Docker,
    { network, runtime, limits }: SandboxSpec,
  ): Promise<((sandbox: string) => Promise<void>) | undefined> {
    if (network === "none") return undefined;
    if (runtime !== undefined) {
      const message = `a sandbox with an allow-list cannot have the runtime ${runtime}: the relay to its proxy shares its network namespace, which such runtimes keep to themselves; leave out one of the two`;
      throw new SandboxError(message, { reason: "refused" });
    }
    const egress = this.#egress(docker);
    const imageId = await egress.imageId();
    const { lifetimeMs } = limits;
    return (sandbox) => egress.start({ sandbox, list: network, imageId, lifetimeMs });
  }

  async #imageId(image: string): Promise<string> {
    try {
      return (await (await this.#docker()).getImage(image).inspect()).Id;
    } catch (error) {
      if (statusOf(error) !== 404) throw dockerFault(`image ${image} cannot be looked up`, error);
      const message = `the image ${image} is not on this machine; build one with gymline sandbox image, or get it with docker pull ${image}`;
      throw new SandboxError(message, { reason: "unavailable", cause: error });
    }
  }

  /** Docker leaves out a limit that its kernel lacks, with a mere warning: nothing untrusted may run then. */
  #checkedEngine(): Promise<void> {
    this.#engine ??= this.#checkEngine().catch((error: unknown) => {
      this.#engine = undefined;
      throw error;
    });
    return this.#engine;
  }

  async #checkEngine(): Promise<void> {
    const docker = await this.#docker();
    const info = engineSchema.parse(await asking("Docker cannot be asked", () => docker.info()));
    const lacks = [
      ...(info.OSType === "linux" ? [] : ["Linux containers"]),
      ...(info.MemoryLimit ? [] : ["a limit of memory"]),
      ...(info.PidsLimit ? [] : ["a limit of processes"]),
      ...(info.CpuCfsQuota ? [] : ["a limit of processor time"]),
      ...(info.SecurityOptions.some((each) => /^name=seccomp(?!.*unconfined)/.test(each)) ? [] : ["seccomp"]),
    ];
    if (lacks.length === 0) return;
    const message = `this Docker has no ${lacks.join(", no ")}; sandboxes need it, so use an engine with its default security settings`;
    throw new SandboxError(message, { reason: "unavailable" });
  }
}

const engineSchema = z.looseObject({
  OSType: z.string(),
  MemoryLimit: z.boolean().optional(),
  PidsLimit: z.boolean().optional(),
  CpuCfsQuota: z.boolean().optional(),
  SecurityOptions: z.array(z.string()).default([]),
});

async function asking<T>(what: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw dockerFault(what, error);
  }
}

function readSpec(label: string | undefined): SandboxSpec | undefined {
  try {
    return sandboxSpecSchema.safeParse(JSON.parse(label ?? "")).data;
  } catch {
    return undefined;
  }
}
