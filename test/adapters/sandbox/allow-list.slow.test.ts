import { spawn } from "node:child_process";
import { randomInt, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { DockerSandboxes } from "../../../shared/adapters/docker/docker-sandboxes.ts";
import { EGRESS_LABEL } from "../../../shared/adapters/docker/egress.ts";
import { EGRESS_IMAGE } from "../../../shared/adapters/docker/egress-options.ts";
import { systemClock } from "../../../shared/adapters/local/system-clock.ts";
import { sandboxEnv } from "../../../shared/env/sandbox-env.ts";
import type { Sandbox, SandboxSpec } from "../../../shared/ports/sandbox.ts";
import { sandboxSpec } from "../../../shared/sandbox/sandbox-limits.ts";
import { WarmPool } from "../../../shared/sandbox/warm-pool.ts";
import type { DockerOffer } from "../../docker/docker.ts";
import { NameServer } from "../../factories/name-server.ts";
import { offerSandboxDocker } from "../../factories/sandbox-image.ts";
import { sh, text } from "./contract.ts";

const MIB = 2 ** 20;
const SUBNET = `10.213.${randomInt(1, 255)}`;
/** The network's own address of this machine: what is outside, and its name server. */
const OUTSIDE = `${SUBNET}.1`;
const METADATA = ["169.254.169.254", "fd00:ec2::254"];

/** What a sandbox that may reach some hosts must not reach, tried; what it may reach works beside it. */
describe("a sandbox with an allow-list", () => {
  let offer: DockerOffer;
  let docker: Docker;
  let sandboxes: DockerSandboxes;
  let sandbox: Sandbox;
  let names: NameServer;
  let spec: SandboxSpec;
  /** Of all addresses of this machine but the outside's. */
  let hostPort: number;
  let ahead = 0;
  const servers: Server[] = [];
  const outside: string[] = [];
  const host: string[] = [];
  const group = randomUUID();
  const network = `gymline-egress-test-${group}`;
  const stateFolder = mkdtempSync(join(tmpdir(), "gymline-allow-list-"));

  const serve = async (
    name: string,
    heard: string[],
    at: { address: string; port: number },
  ): Promise<number> => {
    const server = createServer((request, response) => {
      heard.push(`${request.headers.host} ${request.url}`);
      response.end(name);
    });
    servers.push(server.listen(at.port, at.address));
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  };

  beforeAll(async () => {
    offer = await offerSandboxDocker();
    if (offer.kind === "missing") return;
    const { socketPath } = offer.docker;
    docker = new Docker({ socketPath });
    await docker.createNetwork({
      Name: network,
      IPAM: { Driver: "default", Config: [{ Subnet: `${SUBNET}.0/24`, Gateway: OUTSIDE }] },
    });
    for (const port of [80, 443, 8000, 9000]) await serve("outside", outside, { address: OUTSIDE, port });
    hostPort = await serve("host", host, { address: "0.0.0.0", port: 0 });
    const addresses = hostAddresses();
    names = new NameServer({
      "allowed.test": [OUTSIDE],
      "wild.test": [OUTSIDE],
      "sub.wild.test": [OUTSIDE],
      "open.test": [OUTSIDE],
      "to-host.test": addresses,
      "to-loopback.test": ["127.0.0.1"],
      "to-loopback6.test": ["::1"],
      "to-zero.test": ["0.0.0.0"],
      "to-metadata.test": METADATA,
      "to-neighbour.test": [`${SUBNET}.77`],
      "to-mapped.test": ["::ffff:169.254.169.254"],
      "to-both.test": [OUTSIDE, "169.254.169.254"],
    });
    await names.listen(OUTSIDE);
    sandboxes = new DockerSandboxes({
      socketPath,
      stateFolder,
      group,
      clock: { now: () => Date.now() + ahead },
      egress: { network, dns: [OUTSIDE] },
    });
    spec = sandboxSpec({
      limits: { memoryBytes: 128 * MIB, diskBytes: 16 * MIB, pids: 64 },
      network: {
        allow: [
          ...["allowed.test", "allowed.test:8000", "*.wild.test:8000", `to-host.test:${hostPort}`],
          ...[
            "to-host.test",
            `to-loopback.test:3128`,
            `to-loopback.test:${hostPort}`,
            "to-loopback6.test:3128",
          ],
          ...[
            "to-zero.test:3128",
            "to-metadata.test",
            "to-neighbour.test:3128",
            "to-mapped.test",
            "to-both.test",
          ],
        ],
        // The one address in private space that stands for the internet here.
        privateRanges: [`${OUTSIDE}/32`],
      },
    });
    sandbox = await sandboxes.create(spec);
  }, 600_000);

  beforeEach((context) => {
    if (offer.kind === "missing") return context.skip(offer.reason);
    ahead = 0;
    for (const list of [outside, host, names.asked]) list.length = 0;
  });

  afterAll(async () => {
    for (const server of servers) server.close().closeAllConnections();
    names?.close();
    if (offer?.kind === "ready") {
      await sandbox?.close();
      expect(await left()).toEqual([]);
      await docker.getNetwork(network).remove();
      await offer.docker.close();
    }
    rmSync(stateFolder, { recursive: true, force: true });
  });

  /** All that Docker holds of this group, but the sandbox that all tests share and what is beside it. */
  const left = async (): Promise<readonly string[]> => {
    const of = (label: string): string => JSON.stringify({ label: [`${label}=${group}`] });
    const lists = await Promise.all(
      ["gymline.sandbox", EGRESS_LABEL.mark].map((label) =>
        docker.listContainers({ all: true, filters: of(label) }),
      ),
    );
    const { Volumes } = await docker.listVolumes({ filters: of(EGRESS_LABEL.mark) });
    return [
      ...lists.flat().map(({ Id, Labels }) => Labels[EGRESS_LABEL.of] ?? Id.slice(0, 12)),
      ...(Volumes ?? []).map(({ Labels }) => Labels[EGRESS_LABEL.of] ?? "volume"),
    ].filter((id) => id !== sandbox.id);
  };

  /** Status and body by way of the proxy, of each request line; `Host` is as in the line unless given. */
  const ask = async (
    requests: readonly (readonly [line: string, more?: string])[],
    of: Sandbox = sandbox,
  ): Promise<readonly string[]> => {
    const script = [
      "import json, socket, sys",
      "for line, more in json.load(sys.stdin):",
      "    s = socket.create_connection(('127.0.0.1', 3128), 30)",
      "    s.settimeout(60)",
      "    s.sendall((line + ' HTTP/1.1\\r\\nConnection: close\\r\\n' + more + '\\r\\n').encode())",
      "    data = b''",
      "    if line.startswith('CONNECT'):",
      "        data = s.recv(65536)",
      "        if b' 200 ' in data.split(b'\\r\\n')[0]:",
      "            s.sendall(b'GET /tunnel HTTP/1.1\\r\\nHost: tunnel\\r\\nConnection: close\\r\\n\\r\\n')",
      "            data = b''",
      "    while True:",
      "        chunk = s.recv(65536)",
      "        if not chunk: break",
      "        data += chunk",
      "    head, _, body = data.partition(b'\\r\\n\\r\\n')",
      "    status = head.split(b' ')[1].decode() if b' ' in head else 'none'",
      "    print(status + (' ' + body.decode() if len(body) < 20 else ''))",
    ].join("\n");
    const lines = requests.map(([line, more]) => {
      const host = /^\S+ (?:\w+:\/\/)?([^/ ]*)/.exec(line)?.[1] ?? "";
      return [line, more ?? `Host: ${host}\r\n`];
    });
    const result = await of.exec({
      command: ["python3", "-c", script],
      stdin: new TextEncoder().encode(JSON.stringify(lines)),
      timeoutMs: 120_000,
      maxOutputBytes: 20_000,
    });
    expect(text(result.stderr)).toBe("");
    return text(result.stdout).trim().split("\n");
  };

  const reaches = async (of: Sandbox): Promise<void> => {
    expect(await ask([["GET http://allowed.test/"], ["GET http://open.test/"]], of)).toEqual([
      "200 outside",
      "403",
    ]);
  };

  it("reaches what is on it, in the clear and by a tunnel, with the programs' own settings", async () => {
    expect(
      await ask([
        ["GET http://allowed.test/a"],
        ["GET http://allowed.test:8000/b"],
        ["GET http://sub.wild.test:8000/c"],
        ["CONNECT allowed.test:443"],
        ["CONNECT allowed.test:8000"],
      ]),
    ).toEqual(new Array(5).fill("200 outside"));
    const own = "import urllib.request as u; print(u.urlopen('http://allowed.test/own').read().decode())";
    expect((await sh(sandbox, `python3 -c "${own}"`)).out).toBe("outside\n");
    expect(outside).toHaveLength(6);
  });

  it("reaches no other name, port, kind of address or protocol, whatever the request says it is", async () => {
    const requests: readonly (readonly [string, string?])[] = [
      ["GET http://open.test/"],
      ["GET http://wild.test:8000/"],
      ["GET http://sub.wild.test/"],
      ["GET http://wild.test.open.test:8000/"],
      ["GET http://notallowed.test/"],
      ["GET http://allowed.test.open.test/"],
      ["GET http://allowed.test:9000/"],
      ["GET http://allowed.test:443/"],
      ["CONNECT allowed.test:80"],
      ["CONNECT allowed.test:9000"],
      ["CONNECT allowed.test:22"],
      ["CONNECT allowed.test:53"],
      ["GET http://open.test/", "Host: allowed.test\r\n"],
      ["GET http://allowed.test@open.test/"],
      [`GET http://${OUTSIDE}/`],
      [`CONNECT ${OUTSIDE}:443`],
      [`CONNECT [::ffff:${OUTSIDE}]:443`],
      [`GET http://${OUTSIDE}:53/`],
      ["GET ftp://allowed.test/"],
      ["GET ftp://allowed.test:80/"],
      ["GET gopher://allowed.test:80/"],
    ];
    const answers = await ask(requests);
    const through = requests.filter((_, index) => !/^(?:400|403|501|none)/.test(answers[index] ?? ""));
    expect(through).toEqual([]);
    expect(outside).toEqual([]);
  });

  it("reaches neither this machine, its loopback, a metadata service nor the proxy's own pages", async () => {
    const requests: readonly (readonly [string, string?])[] = [
      ...hostAddresses().map((address) => [`GET http://${address}:${hostPort}/`] as const),
      ...[
        "127.0.0.1",
        "localhost",
        "0.0.0.0",
        "[::1]",
        "2130706433",
        "0x7f.1",
        "host.docker.internal",
      ].flatMap((name) => [
        [`GET http://${name}:${hostPort}/`] as const,
        [`GET http://${name}:3128/`] as const,
      ]),
      ["GET http://169.254.169.254/latest/meta-data/"],
      ["GET http://[fd00:ec2::254]/latest/meta-data/"],
      ["CONNECT 169.254.169.254:80"],
      ["GET http://2852039166/latest/meta-data/"],
      ["GET http://0xa9fea9fe/latest/meta-data/"],
      ["GET cache_object://localhost/info"],
      ["GET http://gymline-egress:3128/squid-internal-mgr/menu"],
      ["GET /squid-internal-mgr/menu"],
      ["GET /squid-internal-mgr/menu", "Host: allowed.test\r\n"],
    ];
    const answers = await ask(requests);
    const through = requests.filter((_, index) => !/^(?:400|403|404|none)/.test(answers[index] ?? ""));
    expect(through).toEqual([]);
    expect(host).toEqual([]);
  });

  it("reaches nothing by a name on it that leads to this machine or into private space", async () => {
    const lines = [
      ...[
        `GET http://to-host.test:${hostPort}/`,
        `CONNECT to-host.test:${hostPort}`,
        "GET http://to-host.test/",
      ],
      ...["GET http://to-loopback.test:3128/", `CONNECT to-loopback.test:${hostPort}`],
      ...["CONNECT to-loopback6.test:3128", "CONNECT to-zero.test:3128"],
      ...["GET http://to-metadata.test/latest/", "CONNECT to-metadata.test:443"],
      ...["CONNECT to-neighbour.test:3128", "GET http://to-mapped.test/", "GET http://to-both.test/"],
    ];
    const answers = await ask(lines.map((line) => [line]));
    // The proxy has no IPv6, so that a name with nothing else leads nowhere.
    const onlyIPv6 = /to-loopback6|to-mapped/;
    for (const [index, line] of lines.entries()) {
      expect(`${line}: ${answers[index]}`).toMatch(onlyIPv6.test(line) ? /: (?:403|50[0-4])$/ : /: 403$/);
    }
    expect([...host, ...outside]).toEqual([]);
  });

  it("is kept from private space by the kernel as well, whatever its proxy was talked into", async () => {
    const tries = [
      ...[OUTSIDE, "127.0.0.1"].map((address) => ({ address, port: address === OUTSIDE ? 80 : 3128 })),
      ...hostAddresses().map((address) => ({ address, port: hostPort })),
      ...["169.254.169.254", `${SUBNET}.77`, "10.0.0.1", "192.168.0.1", "100.100.100.200"].map((address) => ({
        address,
        port: 80,
      })),
    ];
    // As the proxy's own user, in its own container: that it reaches the outside shows that the tries are sound.
    const script = tries
      .map(
        ({ address, port }) => `(exec 3<>/dev/tcp/${address}/${port}) 2>&1 | tail -n 1; echo "=${address}"`,
      )
      .join("\n");
    const said = await inProxy(script);
    const parts = said.split(/^=.*\n/m).map((part) => part.trim());
    expect(parts.slice(0, 2)).toEqual(["", ""]);
    for (const part of parts.slice(2, tries.length)) expect(part).toMatch(/Permission denied|unreachable/);
    expect(await inProxy("(exec 3<>/dev/tcp/fd00:ec2::254/80) 2>&1 | tail -n 1")).toMatch(
      /unreachable|denied|assign/,
    );
    expect(host).toEqual([]);
    // And it is no matter of a network on which nothing is reached: without the rules this machine is.
    const plain = await docker.createContainer({
      Image: EGRESS_IMAGE,
      Entrypoint: ["bash", "-c", `exec 3<>/dev/tcp/${hostAddresses()[0] ?? OUTSIDE}/${hostPort}`],
      Cmd: [],
      HostConfig: { NetworkMode: network },
    });
    await plain.start();
    expect(await plain.wait()).toEqual(expect.objectContaining({ StatusCode: 0 }));
    await plain.remove();
  });

  it("has no interface but loopback, no name server, and no way around the proxy", async () => {
    const other = await sandboxes.create(spec);
    try {
      await sh(other, "python3 -m http.server 8000 --bind 0.0.0.0 >/dev/null 2>&1 &");
      const devices = await sh(
        sandbox,
        "tail -n +3 /proc/net/dev | cut -d: -f1; cat /proc/net/route | tail -n +2",
      );
      expect(devices.out.trim()).toBe("lo");
      const script = [
        "import errno, json, socket, sys",
        "def tried(name, work):",
        "    try: print(name, 'done', work())",
        "    except OSError as e: print(name, type(e).__name__ if e.errno is None else errno.errorcode.get(e.errno, e.errno))",
        "def udp(family, to):",
        "    s = socket.socket(family, socket.SOCK_DGRAM); s.settimeout(2); s.sendto(b'x' * 20, to); return s.recv(99)",
        "for address, port in json.load(sys.stdin):",
        "    tried(address, lambda: socket.create_connection((address, port), 5))",
        `tried('dns', lambda: udp(socket.AF_INET, ('${OUTSIDE}', 53)))`,
        "tried('dns-docker', lambda: udp(socket.AF_INET, ('127.0.0.11', 53)))",
        "tried('dns-out', lambda: udp(socket.AF_INET, ('8.8.8.8', 53)))",
        "tried('dns6', lambda: udp(socket.AF_INET6, ('2001:4860:4860::8888', 53)))",
        "tried('multicast', lambda: udp(socket.AF_INET, ('224.0.0.251', 5353)))",
        "tried('lookup', lambda: socket.getaddrinfo('allowed.test', 80))",
        "tried('raw', lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))",
        "tried('packet', lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0x300))",
      ].join("\n");
      const addresses = [
        ...[OUTSIDE, `${SUBNET}.2`, `${SUBNET}.3`, ...hostAddresses()].flatMap((address) => [
          [address, 8000],
          [address, 3128],
          [address, hostPort],
        ]),
        ...METADATA.map((address) => [address, 80]),
        ...["8.8.8.8", "2001:4860:4860::8888", "127.0.0.11"].map((address) => [address, 53]),
        ["127.0.0.1", hostPort],
        ["127.0.0.1", 8000],
      ];
      const result = await sandbox.exec({
        command: ["python3", "-c", script],
        stdin: new TextEncoder().encode(JSON.stringify(addresses)),
        timeoutMs: 120_000,
        maxOutputBytes: 20_000,
      });
      const lines = text(result.stdout).trim().split("\n");
      expect(lines).toHaveLength(addresses.length + 8);
      expect(lines.filter((line) => line.includes(" done"))).toEqual([]);
      expect([...host, ...outside, ...names.asked]).toEqual([]);
      await reaches(other);
    } finally {
      await other.close();
    }
  });

  it("has no name looked up that is not on it, and what was refused is told", async () => {
    const before = new Map((await sandbox.refusedTargets()).map(({ target, count }) => [target, count]));
    await ask([
      ["GET http://the-secret.open.test/"],
      ["CONNECT the-secret.open.test:443"],
      ["CONNECT the-secret.open.test:443"],
      ["GET http://the-secret.wild.test.open.test/"],
      ["GET http://allowed.test/"],
    ]);
    expect(names.asked.filter((name) => name.includes("secret"))).toEqual([]);
    const refused = await sandbox.refusedTargets();
    expect(refused).toEqual(
      expect.arrayContaining([
        { target: "the-secret.open.test:443", count: 2 },
        { target: "the-secret.open.test:80", count: 1 },
      ]),
    );
    expect(refused.find(({ target }) => target === "allowed.test:80")?.count).toBe(
      before.get("allowed.test:80"),
    );
  });

  it("keeps it when it is opened by another program, restored and branched from", async () => {
    const again = await sandboxes.open(sandbox.id);
    expect(again.spec.network).toEqual(spec.network);
    const snapshot = await sandbox.snapshot();
    await sandbox.restore(snapshot);
    await reaches(again);
    const branch = await again.branch(snapshot);
    expect(branch.spec.network).toEqual(spec.network);
    await reaches(branch);
    await branch.close();
    expect(await left()).toEqual([]);
  });

  it("comes out of a pool that was made with the same list, in whatever order, and not out of another", async () => {
    const pool = new WarmPool(sandboxes, { size: 1, spec, clock: systemClock });
    try {
      await pool.ready();
      const warm = (await sandboxes.list()).map(({ id }) => id);
      const { network: list } = spec;
      if (list === "none") throw new Error("the tests' sandbox has a list");
      const taken = await pool.create({ ...spec, network: { ...list, allow: [...list.allow].reverse() } });
      expect(warm).toContain(taken.id);
      await reaches(taken);
      const other = await pool.create({ ...spec, network: "none" });
      expect((await sh(other, "env")).out).not.toContain("PROXY");
      await Promise.all([taken.close(), other.close()]);
    } finally {
      await pool.close();
    }
    expect(await left()).toEqual([]);
  });

  it("is what a task has of the run's list; what was refused stands in the record of its episode", async () => {
    const { limits, network: list } = spec;
    if (list === "none") throw new Error("the tests' sandbox has a list");
    const env = sandboxEnv({ sandboxes, clock: systemClock, spec: { limits, network: list } });
    try {
      const more = { id: "t", sandbox: { network: { allow: ["open.test"] } } };
      await expect(env.reset({ task: more })).rejects.toThrow(/task t asks for a network to open\.test/);
      const first = await env.reset({ task: { sandbox: { network: { allow: ["allowed.test"] } } } });
      expect(first.observation).toContain("by which you reach allowed.test and nothing else");
      const command =
        'python3 -c \'import urllib.request as u; print(u.urlopen("http://allowed.test/").read()); u.urlopen("http://allowed.test:8000/")\'';
      const step = await env.step({ tool: "shell", params: { command } });
      expect(step.observation).toContain("outside");
      expect(step.observation).toContain("403");
      const last = await env.step({ tool: "submit", params: {} });
      expect(last.info["refusedTargets"]).toEqual({
        count: 1,
        targets: [{ target: "allowed.test:8000", count: 1 }],
      });
    } finally {
      await env.close();
    }
  });

  it("is not made without the proxy's image, by another runtime, or on a network that is not there", async () => {
    const { socketPath } = docker.modem as { socketPath?: string };
    const other = (egress: object): DockerSandboxes =>
      new DockerSandboxes({
        ...(socketPath === undefined ? {} : { socketPath }),
        stateFolder,
        group,
        egress,
      });
    const missing = other({ image: "no/such-egress:9" }).create(spec);
    await expect(missing).rejects.toMatchObject({ reason: "unavailable" });
    await expect(missing).rejects.toThrow(/no\/such-egress:9.*gymline sandbox image --egress/);
    await expect(sandboxes.create({ ...spec, runtime: "runsc" })).rejects.toMatchObject({
      reason: "refused",
    });
    await expect(other({ network: "no-such-network" }).create(spec)).rejects.toThrow(/gets no way out/);
    expect(await left()).toEqual([]);
  });

  it("leaves nothing where its maker was killed: it ends by itself, or the next reaper takes it", async () => {
    const ids = await Promise.all([3000, 3_600_000].map(madeAndKilled));
    expect(new Set(await left())).toEqual(new Set(ids));
    const [, stays = ""] = ids;
    // As if it had ended while nobody looked: what is beside it goes with the reaper, long before its time.
    const reaped = await sandboxes.create(spec);
    await docker.getContainer(reaped.id).remove({ force: true });
    expect(await left()).toContain(reaped.id);
    await sandboxes.reap();
    expect(await left()).not.toContain(reaped.id);
    expect(await left()).toContain(stays);
    await expect
      .poll(async () => new Set(await left()), { timeout: 60_000, interval: 500 })
      .toEqual(new Set([stays]));
    ahead = 3_700_000;
    // The one that all tests share is over by then, too; a group of its own would not be reaped here.
    expect(await sandboxes.reap()).toContain(stays);
    expect(await left()).toEqual([]);
    ahead = 0;
    sandbox = await sandboxes.create(spec);
  });

  it("is made twenty times at once, and leaves no container, network or volume behind", async () => {
    const networks = (await docker.listNetworks()).length;
    const made = await Promise.all(Array.from({ length: 20 }, () => sandboxes.create(spec)));
    const beside = await left();
    expect(new Set(beside)).toEqual(new Set(made.map(({ id }) => id)));
    // The sandbox, its proxy, its relay, and the volume between these.
    expect(beside).toHaveLength(80);
    await Promise.all(made.map(reaches));
    await Promise.all(made.map((each) => each.close()));
    expect(await left()).toEqual([]);
    expect((await docker.listNetworks()).length).toBe(networks);
  });

  const inProxy = async (script: string): Promise<string> => {
    const filters = JSON.stringify({ label: [`${EGRESS_LABEL.of}=${sandbox.id}`] });
    const beside = await docker.listContainers({ filters });
    const proxy = beside.find(({ HostConfig }) => HostConfig.NetworkMode === network);
    if (proxy === undefined) throw new Error("the sandbox has no proxy");
    const exec = await docker
      .getContainer(proxy.Id)
      .exec({ User: "1003:1003", Cmd: ["bash", "-c", script], AttachStdout: true, Tty: true });
    const stream = await exec.start({ Tty: true });
    let said = "";
    for await (const chunk of stream) said += String(chunk);
    return said.replaceAll("\r", "");
  };

  /** A sandbox of another process, which is ended in the harshest way once it has it. */
  const madeAndKilled = async (lifetimeMs: number): Promise<string> => {
    const { socketPath } = docker.modem as { socketPath?: string };
    const own = { ...spec, limits: { ...spec.limits, lifetimeMs } };
    const options = { socketPath, stateFolder, group, egress: { network, dns: [OUTSIDE] } };
    const place = new URL("../../../shared/adapters/docker/docker-sandboxes.ts", import.meta.url).href;
    const script = `import { DockerSandboxes } from ${JSON.stringify(place)};
const sandbox = await new DockerSandboxes(${JSON.stringify(options)}).create(${JSON.stringify(own)});
console.log(JSON.stringify({ id: sandbox.id }));
setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [said]: unknown[] = await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    return z.object({ id: z.string() }).parse(JSON.parse(String(said))).id;
  };
});

/** Of this machine, as others see it. */
function hostAddresses(): readonly string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === "IPv4" && !internal)
    .map(({ address }) => address)
    .filter((address) => address !== OUTSIDE);
}
