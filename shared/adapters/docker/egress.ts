import { networkInterfaces } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import type { ContainerCreateOptions, default as Docker } from "dockerode";
import { SandboxError } from "../../ports/sandbox.ts";
import type { AllowList } from "../../sandbox/allow-list.ts";
import { dockerFault, statusOf } from "./docker-fault.ts";
import { EGRESS_IMAGE, type EgressOptions } from "./egress-options.ts";
import { PROXY_PORT, refusedTargets, routingRules, squidConfig } from "./egress-rules.ts";
import { FrameReader } from "./frames.ts";

/*
 * The way out of a sandbox with an allow-list. The sandbox itself keeps no interface but loopback, as without one, so
 * that nothing depends on how an engine sets up bridges, gateways and name servers. Two containers stand beside it:
 *
 *   sandbox ── 127.0.0.1:3128 ── relay (the sandbox's network namespace)
 *                                  │ Unix socket on a volume in memory that only these two have
 *                                proxy (Squid on its own loopback) ── routing rules ── egress network
 *
 * The proxy decides by name and port, and by what the name leads to. Routing rules in its network namespace keep it
 * from private, link-local and other special ranges, whatever it was talked into. All three end with the sandbox's
 * lifetime by themselves, and Docker removes them and the volume.
 */

export const EGRESS_LABEL = {
  mark: "gymline.egress",
  /** Id of the sandbox. */
  of: "gymline.egress.of",
} as const;

/** Neither of the sandbox's users, nor root. */
const USER = "1003:1003";
const SOCKET_FOLDER = "/run/gymline";
const SOCKET = `${SOCKET_FOLDER}/proxy`;
/** After the sandbox, so that its last moment has a network too. */
const LONGER_S = 5;
const PATIENCE_S = 60;
const MIB = 2 ** 20;
const MOST_LOG = 2 * MIB;

const PROXY = `printf '%s' "$SQUID_CONFIG" >/run/squid.conf
socat -t 60 UNIX-LISTEN:${SOCKET},fork,max-children=64 TCP4:127.0.0.1:${PROXY_PORT} &
/usr/sbin/squid -N -f /run/squid.conf &
wait -n`;

/** $1: rules; the rest: name servers that were given. A kernel without IPv6 needs none to be kept from it. */
const GUARD = `set -eu
rules=$1; shift
servers=$(sed -n 's/^nameserver \\([0-9][0-9.]*\\)$/\\1/p' /etc/resolv.conf)
for server in "$@" $servers; do
  case $server in 127.*) continue ;; esac
  for protocol in udp tcp; do
    rules="rule add pref 100 to $server ipproto $protocol dport 53 lookup main
$rules"
  done
done
for net in $(/sbin/ip -4 -o route show scope link | cut -d ' ' -f 1); do
  rules="$rules
rule add pref 300 to $net prohibit"
done
printf '%s\\n' "$rules" | /sbin/ip -4 -batch -
if [ -e /proc/net/if_inet6 ]; then /sbin/ip -6 rule add pref 1 prohibit; fi`;

const LISTENS = `for n in $(seq ${PATIENCE_S}0); do
  (exec 3<>/dev/tcp/127.0.0.1/${PROXY_PORT}) 2>/dev/null && exit 0
  sleep 0.1
done
exit 1`;

/** Variables by which programs in a sandbox find the proxy; most read one spelling or the other. */
export function proxyVariables(): Readonly<Record<string, string>> {
  const proxy = `http://127.0.0.1:${PROXY_PORT}`;
  const none = "localhost,127.0.0.1,::1";
  return {
    ...{ HTTP_PROXY: proxy, HTTPS_PROXY: proxy, http_proxy: proxy, https_proxy: proxy },
    ...{ NO_PROXY: none, no_proxy: none },
  };
}

/** Makes, finds and removes what stands beside sandboxes with an allow-list. All methods @throws SandboxError */
export class Egress {
  readonly #docker: Docker;
  readonly #options: EgressOptions;
  readonly #group: string;

  constructor(parts: { readonly docker: Docker; readonly options: EgressOptions; readonly group: string }) {
    this.#docker = parts.docker;
    this.#options = parts.options;
    this.#group = parts.group;
  }

  /** Content id of the image. */
  async imageId(): Promise<string> {
    const { image = EGRESS_IMAGE } = this.#options;
    try {
      return (await this.#docker.getImage(image).inspect()).Id;
    } catch (error) {
      if (statusOf(error) !== 404) throw dockerFault(`image ${image} cannot be looked up`, error);
      const message = `a sandbox with an allow-list needs the image ${image}, which is not on this machine; build it with gymline sandbox image --egress, or docker build -t ${image} containers/egress`;
      throw new SandboxError(message, { reason: "unavailable", cause: error });
    }
  }

  /** Resolves when the sandbox, which runs already, has its way out. What was made is removed by `remove` alone. */
  async start(of: {
    readonly sandbox: string;
    readonly list: AllowList;
    readonly imageId: string;
    readonly lifetimeMs: number;
  }): Promise<void> {
    const { sandbox, list, imageId } = of;
    const seconds = String(Math.ceil(of.lifetimeMs / 1000) + LONGER_S);
    const labels = { [EGRESS_LABEL.mark]: this.#group, [EGRESS_LABEL.of]: sandbox };
    const shared = { Image: imageId, Labels: labels, User: USER };
    const what = `sandbox ${sandbox} gets no way out`;
    try {
      const proxy = await this.#run({
        ...shared,
        Hostname: "egress",
        Entrypoint: ["timeout", "-k", "5", seconds, "bash", "-c", PROXY],
        Env: [`SQUID_CONFIG=${squidConfig(list, hostAddresses())}`],
        HostConfig: { ...locked(128), ...this.#network(), Mounts: [socketVolume(labels)], ...LOGGED },
      });
      await this.#guard({ ...shared, proxy: proxy.id, list });
      const relay = await this.#run({
        ...shared,
        Entrypoint: ["timeout", "-k", "5", seconds, "socat", "-t", "60"],
        Cmd: [
          `TCP4-LISTEN:${PROXY_PORT},bind=127.0.0.1,fork,reuseaddr,max-children=64`,
          `UNIX-CONNECT:${SOCKET}`,
        ],
        HostConfig: {
          ...locked(64),
          NetworkMode: `container:${sandbox}`,
          VolumesFrom: [proxy.id],
          LogConfig: { Type: "none", Config: {} },
        },
      });
      await Promise.all([this.#listens(proxy), this.#listens(relay)]);
    } catch (error) {
      throw dockerFault(what, error);
    }
  }

  /** What the proxy of a sandbox refused; nothing where it is gone. */
  async refused(sandbox: string): Promise<ReturnType<typeof refusedTargets>> {
    try {
      const found = await this.#containers(`${EGRESS_LABEL.of}=${sandbox}`);
      const texts = await Promise.all(
        found
          .filter(({ HostConfig }) => !HostConfig.NetworkMode.startsWith("container:"))
          .map(({ Id }) => this.#log(Id)),
      );
      return refusedTargets(texts.join("\n"));
    } catch (error) {
      if (statusOf(error) === 404 || statusOf(error) === 409) return [];
      throw dockerFault(`what sandbox ${sandbox} was refused is not known`, error);
    }
  }

  async remove(sandbox: string): Promise<void> {
    const found = await this.#asking(`${EGRESS_LABEL.of}=${sandbox}`);
    await Promise.all(found.map(({ Id }) => this.#removeOne(Id)));
  }

  /**
   * Removes what stands beside sandboxes that are gone. `sandboxes` tells which there are, asked after what is beside
   * them was: a sandbox is there before anything beside it is.
   */
  async reap(sandboxes: () => Promise<ReadonlySet<string>>): Promise<void> {
    const found = await this.#asking(`${EGRESS_LABEL.mark}=${this.#group}`);
    if (found.length === 0) return;
    const there = await sandboxes();
    const orphans = found.filter(({ Labels }) => !there.has(Labels[EGRESS_LABEL.of] ?? ""));
    await Promise.all(orphans.map(({ Id }) => this.#removeOne(Id)));
  }

  #network(): Pick<NonNullable<ContainerCreateOptions["HostConfig"]>, "NetworkMode" | "Dns"> {
    const { network = "bridge", dns } = this.#options;
    return { NetworkMode: network, ...(dns === undefined ? {} : { Dns: [...dns] }) };
  }

  /** Lays the routing rules, in a container of a moment that has the one right it takes. */
  async #guard(parts: {
    readonly Image: string;
    readonly Labels: Readonly<Record<string, string>>;
    readonly proxy: string;
    readonly list: AllowList;
  }): Promise<void> {
    const { Image, Labels, proxy, list } = parts;
    const rules = routingRules(list, hostAddresses()).trimEnd();
    const guard = await this.#docker.createContainer({
      ...{ Image, Labels, User: "0:0" },
      Entrypoint: ["timeout", "-k", "5", String(PATIENCE_S), "bash", "-c", GUARD, "guard", rules],
      Cmd: [...(this.#options.dns ?? [])],
      HostConfig: {
        ...locked(64),
        ...LOGGED,
        AutoRemove: false,
        CapAdd: ["NET_ADMIN"],
        NetworkMode: `container:${proxy}`,
      },
    });
    try {
      await guard.start();
      const { StatusCode }: { StatusCode: number } = await guard.wait();
      if (StatusCode === 0) return;
      const said = await this.#log(guard.id, "stderr");
      const message = `the routing rules of its proxy cannot be laid: ${said.trim().split("\n").at(-1) ?? ""}; a kernel with CONFIG_IP_MULTIPLE_TABLES is needed`;
      throw new SandboxError(message, { reason: "unavailable" });
    } finally {
      await this.#removeOne(guard.id);
    }
  }

  async #run(options: ContainerCreateOptions): Promise<Docker.Container> {
    const container = await this.#docker.createContainer(options);
    await container.start();
    return container;
  }

  async #listens(container: Docker.Container): Promise<void> {
    const exec = await container.exec({ User: USER, Cmd: ["bash", "-c", LISTENS] });
    (await exec.start({ Detach: true })).destroy();
    for (let wait = 10; ; wait = Math.min(200, wait * 2)) {
      const { Running, ExitCode } = await exec.inspect();
      if (!Running && ExitCode === 0) return;
      if (!Running) throw new Error("it does not listen");
      await delay(wait);
    }
  }

  async #log(id: string, of: "stdout" | "stderr" = "stdout"): Promise<string> {
    const bytes = await this.#docker
      .getContainer(id)
      .logs({ stdout: of === "stdout", stderr: of === "stderr", follow: false, tail: 20_000 });
    const texts: string[] = [];
    for (const frame of new FrameReader().read(bytes.subarray(0, MOST_LOG))) {
      texts.push(Buffer.from(frame.bytes).toString("utf8"));
    }
    return texts.join("");
  }

  #containers(label: string): Promise<Docker.ContainerInfo[]> {
    return this.#docker.listContainers({ all: true, filters: { label: [label] } });
  }

  async #asking(label: string): Promise<Docker.ContainerInfo[]> {
    try {
      return await this.#containers(label);
    } catch (error) {
      throw dockerFault("what stands beside sandboxes cannot be listed", error);
    }
  }

  async #removeOne(id: string): Promise<void> {
    const container = this.#docker.getContainer(id);
    try {
      await container.remove({ force: true, v: true });
    } catch (error) {
      if (statusOf(error) === 404) return;
      if (statusOf(error) !== 409) throw dockerFault(`container ${id.slice(0, 12)} cannot be removed`, error);
      // It is being removed already.
      await container.wait({ condition: "removed" }).catch((gone: unknown) => {
        if (statusOf(gone) !== 404) throw dockerFault(`container ${id.slice(0, 12)} cannot be removed`, gone);
      });
    }
  }
}

/** The log is what tells what was refused; it is held to a size. */
const LOGGED = { LogConfig: { Type: "json-file", Config: { "max-size": "1m", "max-file": "1" } } } as const;

/** As a sandbox is locked down, and smaller. */
function locked(memoryMib: number): NonNullable<ContainerCreateOptions["HostConfig"]> {
  return {
    AutoRemove: true,
    Init: true,
    CapDrop: ["ALL"],
    SecurityOpt: ["no-new-privileges:true"],
    ReadonlyRootfs: true,
    Tmpfs: { "/run": "rw,noexec,nosuid,nodev,size=1m,uid=1003,gid=1003,mode=0700" },
    ShmSize: 8 * MIB,
    Memory: memoryMib * MIB,
    MemorySwap: memoryMib * MIB,
    NanoCpus: 5e8,
    PidsLimit: 128,
    Ulimits: [
      { Name: "core", Soft: 0, Hard: 0 },
      { Name: "nofile", Soft: 4096, Hard: 4096 },
    ],
    OomScoreAdj: 500,
    IpcMode: "private",
    RestartPolicy: { Name: "no" },
  };
}

/** Without a name: Docker removes it with the last container that has it. */
function socketVolume(Labels: Readonly<Record<string, string>>): Docker.MountSettings {
  const Options = { type: "tmpfs", device: "tmpfs", o: "size=64k,uid=1003,gid=1003,mode=0700" };
  return {
    Type: "volume",
    Source: "",
    Target: SOCKET_FOLDER,
    VolumeOptions: { NoCopy: true, Labels, DriverConfig: { Name: "local", Options } },
  };
}

/** Of the machine this runs on, which mostly is Docker's own. */
function hostAddresses(): readonly string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === "IPv4" && !internal)
    .map(({ address }) => address);
}
