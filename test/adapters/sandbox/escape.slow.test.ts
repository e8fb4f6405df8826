import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DockerSandboxes } from "../../../shared/adapters/docker/docker-sandboxes.ts";
import type { Sandbox } from "../../../shared/ports/sandbox.ts";
import { sandboxSpec } from "../../../shared/sandbox/sandbox-limits.ts";
import type { DockerOffer } from "../../docker/docker.ts";
import { offerSandboxDocker } from "../../factories/sandbox-image.ts";
import { bytes, sh, text } from "./contract.ts";

const MIB = 2 ** 20;

/** What somebody who wants out, or wants to do harm, would try. Each attempt must fail, and the host stay well. */
describe("a sandbox in Docker holds against", () => {
  let offer: DockerOffer;
  let docker: Docker;
  let sandboxes: DockerSandboxes;
  let sandbox: Sandbox;
  let server: Server;
  const stateFolder = mkdtempSync(join(tmpdir(), "gymline-escape-"));
  const secret = join(stateFolder, "secret-of-the-host");
  const reached: string[] = [];

  beforeAll(async () => {
    offer = await offerSandboxDocker();
    if (offer.kind === "missing") return;
    const { socketPath } = offer.docker;
    docker = new Docker({ socketPath });
    sandboxes = new DockerSandboxes({ socketPath, stateFolder, group: randomUUID() });
    writeFileSync(secret, "the host's secret");
    server = createServer((request, response) => {
      reached.push(request.url ?? "");
      response.end("reached");
    });
    await new Promise<void>((listening) => server.listen(0, "0.0.0.0", listening));
  }, 600_000);

  beforeEach(async (context) => {
    if (offer.kind === "missing") return context.skip(offer.reason);
    sandbox = await sandboxes.create(
      sandboxSpec({ limits: { memoryBytes: 128 * MIB, diskBytes: 16 * MIB, pids: 64, cpus: 0.5 } }),
    );
  });

  afterEach(async () => {
    if (offer.kind === "missing") return;
    // The host is well: its engine answers, and what was made is gone.
    await sandbox.close();
    expect(String(await docker.ping())).toBe("OK");
    expect(await sandboxes.list()).toEqual([]);
    const volumes = await docker.listVolumes({ filters: { dangling: ["true"] } });
    expect(volumes.Volumes.filter(({ Labels }) => Labels?.["gymline.sandbox"] !== undefined)).toEqual([]);
    expect(processesNamed("gymline-abuse")).toEqual([]);
    expect(readFileSync(secret, "utf8")).toBe("the host's secret");
  });

  afterAll(async () => {
    server?.close();
    if (offer?.kind === "ready") await offer.docker.close();
    rmSync(stateFolder, { recursive: true, force: true });
  });

  /** Python with `libc` at hand, and `tried(name, result)` that says how a system call ended. */
  const python = (code: string, timeoutMs = 60_000): ReturnType<typeof sh> => {
    const head = [
      "import ctypes, errno, os, socket, sys",
      "libc = ctypes.CDLL(None, use_errno=True)",
      "def tried(name, result):",
      "    print(name, 'done' if result >= 0 else errno.errorcode.get(ctypes.get_errno(), '?'))",
      "",
    ];
    return sandbox
      .exec({
        command: ["python3", "-c", `${head.join("\n")}\n${code}`],
        timeoutMs,
        maxOutputBytes: 20_000,
      })
      .then((result) => ({ ...result, out: text(result.stdout) }));
  };

  const works = async (): Promise<void> => expect((await sh(sandbox, "echo well")).out).toBe("well\n");

  it("a fork bomb: processes are limited, it is ended in time, and the sandbox can be used again", async () => {
    const bomb = await python("while True:\n    try: os.fork()\n    except OSError: pass", 3000);
    expect(bomb.end).toEqual({ kind: "timeout" });
    const left = await sh(sandbox, "ls -d /proc/[0-9]* | wc -l");
    expect(Number(left.out)).toBeLessThan(10);
  });

  it("a bomb of threads", async () => {
    const bomb = await python(
      "import threading, time\nn = 0\ntry:\n    while True:\n        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n        n += 1\nexcept RuntimeError:\n    print(n, flush=True)\n    os._exit(0)",
    );
    expect(Number(bomb.out)).toBeLessThan(64);
    expect(Number(bomb.out)).toBeGreaterThan(10);
    await works();
  });

  it("filling the memory: the process is ended, and no swap is taken", async () => {
    const hungry = await python("x = []\nwhile True: x.append(bytearray(10_000_000))");
    expect(hungry.end).toEqual({ kind: "out-of-memory" });
    await works();
  });

  it("filling the disk: workspace, /tmp and shared memory end at their size, in bytes and in files", async () => {
    for (const place of ["/workspace", "/tmp", "/dev/shm"]) {
      const full = await sh(sandbox, `cat /dev/zero >${place}/big; stat -c %s ${place}/big`, 60_000);
      expect(text(full.stderr)).toContain("No space left on device");
      expect(Number(full.out)).toBeLessThanOrEqual(16 * MIB);
    }
    await works();
    await sh(sandbox, "rm -f /workspace/big /tmp/big /dev/shm/big");
    const many = await sh(sandbox, "i=0; while : >f$i; do i=$((i+1)); done; echo $i", 120_000);
    expect(text(many.stderr)).toContain("No space left on device");
    await works();
  });

  it("writing anywhere else", async () => {
    const places = [
      "/x",
      "/etc/x",
      "/usr/bin/x",
      "/root/x",
      "/var/x",
      "/dev/x",
      "/sys/x",
      "/proc/x",
      "/proc/sys/kernel/x",
    ];
    const written = await sh(
      sandbox,
      `for f in ${places.join(" ")}; do { : >"$f"; } 2>/dev/null && echo "$f"; done; echo x 2>/dev/null >>/etc/passwd && echo passwd`,
    );
    expect(written.out).toBe("");
    const found = await sh(
      sandbox,
      "find / -xdev -writable ! -type l 2>/dev/null; for m in $(cut -d' ' -f2 /proc/mounts); do [ -d $m ] && [ -w $m ] && echo $m; done | sort -u",
    );
    const allowed = ["/workspace", "/tmp", "/dev/shm", "/dev/mqueue", "/proc"];
    for (const path of found.out.split("\n").filter((line) => line !== "")) {
      expect(
        allowed.some((place) => path === place || path.startsWith(`${place}/`)),
        path,
      ).toBe(true);
    }
  });

  it("reading files of the host", async () => {
    const paths = [
      secret,
      "/proc/1/root/etc/shadow",
      "/var/lib/docker",
      "/host",
      "/.dockerenv/../etc/shadow",
    ];
    for (const path of [
      ...paths,
      "/proc/1/environ",
      "/proc/kcore",
      "/proc/kmsg",
      "/dev/mem",
      "/dev/kmsg",
      "/dev/vda",
    ]) {
      const read = await sh(sandbox, `head -c 100 ${path}`);
      expect(read.out, path).toBe("");
    }
    const mounts = (await sh(sandbox, "cat /proc/mounts")).out;
    expect(mounts).not.toMatch(/docker\.sock/);
    // What Docker brings in of its own: names of hosts and the like, nothing else of the host's disk.
    const ofDisk = mounts.split("\n").filter((line) => line.startsWith("/dev/"));
    for (const line of ofDisk)
      expect(line).toMatch(
        / \/etc\/(?:hosts|hostname|resolv\.conf) \S+ ro,| \/usr\/sbin\/docker-init | \/sbin\/docker-init /,
      );
    expect((await sh(sandbox, "env")).out).not.toMatch(/AWS|TOKEN|SECRET|KEY/);
  });

  it("the network: the host, the metadata service of a cloud, the outside, names", async () => {
    const { port } = server.address() as AddressInfo;
    // From outside of the sandbox it can be reached.
    expect(await (await fetch(`http://127.0.0.1:${port}/control`)).text()).toBe("reached");
    const own = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
    const addresses = own.filter(({ family }) => family === "IPv4").map(({ address }) => address);
    const places = [
      ...[...addresses, "127.0.0.1", "172.17.0.1"].map((address) => [address, port] as const),
      ...[["169.254.169.254", 80] as const, ["169.254.170.2", 80] as const, ["1.1.1.1", 53] as const],
    ];
    const tried = await python(
      [
        `for place in ${JSON.stringify(places)}:`,
        "    s = socket.socket(); s.settimeout(2)",
        "    try: s.connect(tuple(place)); print('reached', place)",
        "    except OSError as error: print(errno.errorcode.get(error.errno, 'timeout'))",
        "for kind in [(socket.AF_INET, socket.SOCK_RAW, 1), (socket.AF_PACKET, socket.SOCK_RAW, 0)]:",
        "    try: socket.socket(*kind); print('reached raw')",
        "    except OSError as error: print(errno.errorcode[error.errno])",
        "try: socket.getaddrinfo('example.org', 80); print('reached name')",
        "except OSError: print('no name')",
        "print(sorted(os.listdir('/sys/class/net')))",
      ].join("\n"),
    );
    expect(tried.out).not.toContain("reached");
    expect(tried.out).toMatch(/ENETUNREACH/);
    expect(reached).toEqual(["/control"]);
    expect((await sh(sandbox, "cut -d: -f1 /proc/net/dev | tail -n +3 | tr -d ' '")).out).toBe("lo\n");
  });

  it("links out of the workspace, from both sides", async () => {
    await sh(sandbox, `ln -s / root; ln -s ${secret} secret; ln -s /etc etc; mkdir d; ln -s ../../etc d/up`);
    for (const path of ["root/etc/passwd", "secret", "etc/passwd", "d/up/passwd", `root${secret}`]) {
      const got = await sandbox.get(path, { maxBytes: 9999 }).catch((error: unknown) => error);
      expect(got === "missing" || (got instanceof Error && got.name === "SandboxError"), path).toBe(true);
    }
    for (const path of ["root/x", "etc/passwd", "d/up/x"]) {
      await expect(sandbox.put([{ path, bytes: bytes("x") }])).rejects.toMatchObject({ reason: "refused" });
    }
    // A link in the place of the file itself is replaced, not followed.
    await sandbox.put([{ path: "secret", bytes: bytes("mine") }]);
    expect(text(await sandbox.get("secret", { maxBytes: 9 }))).toBe("mine");
  });

  it("output without an end", async () => {
    const before = process.memoryUsage().rss;
    const flood = await sandbox.exec({
      command: ["sh", "-c", "yes & yes >&2"],
      timeoutMs: 4000,
      maxOutputBytes: 1000,
    });
    expect(flood.end).toEqual({ kind: "timeout" });
    expect(flood.dropped.stdout).toBeGreaterThan(1e6);
    expect(flood.stdout.length + flood.stderr.length).toBe(2000);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * MIB);
    await works();
  });

  it("ending what keeps it alive: the first process and its child", async () => {
    await sh(
      sandbox,
      "for p in 1 $(cat /proc/1/task/1/children); do for s in KILL TERM INT HUP QUIT STOP ABRT SEGV USR1; do kill -$s $p; done; done; kill -9 -1",
    );
    await works();
    const user = await sh(sandbox, "stat -c %u /proc/1; id -u");
    expect(user.out).toBe("1001\n1000\n");
  });

  it("gaining rights: programs that run as root, capabilities, identities, namespaces", async () => {
    const status = (await sh(sandbox, "grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status")).out;
    expect(status).toMatch(
      /CapPrm:\s+0+\nCapEff:\s+0+\nCapBnd:\s+0+\nCapAmb:\s+0+\nNoNewPrivs:\s+1\nSeccomp:\s+2/,
    );
    const suid = await sh(
      sandbox,
      "cp /usr/bin/id ./id && chmod 6755 id && ./id -u; for f in $(find / -xdev -perm -4000 -type f 2>/dev/null); do echo $f; done; su -c id </dev/null 2>&1 | tail -1",
    );
    expect(suid.out).toMatch(/^1000\n/);
    expect(suid.out).not.toMatch(/uid=0/);
    const calls = await python(
      [
        "tried('setuid', libc.setuid(0))",
        "tried('setgid', libc.setgid(0))",
        "tried('keeper', libc.setuid(1001))",
        "tried('chroot', libc.chroot(b'/tmp'))",
        "tried('user-namespace', libc.unshare(0x10000000))",
        "tried('mount-namespace', libc.unshare(0x00020000))",
        "tried('setns', libc.setns(os.open('/proc/1/status', os.O_RDONLY), 0))",
        "tried('nice', libc.setpriority(0, 0, -20))",
      ].join("\n"),
    );
    expect(calls.out).not.toContain("done");
    expect(calls.out.trim().split("\n")).toHaveLength(8);
  });

  // The numbers of system calls are those of this processor.
  it.runIf(process.arch === "x64")(
    "mounts, devices, keys, tracing, and what only the kernel's master may do",
    async () => {
      const calls = await python(
        [
          "os.makedirs('m', exist_ok=True)",
          "tried('mount-tmpfs', libc.mount(b'none', b'/workspace/m', b'tmpfs', 0, None))",
          "tried('mount-proc', libc.mount(b'proc', b'/workspace/m', b'proc', 0, None))",
          "tried('mount-bind', libc.mount(b'/', b'/workspace/m', None, 4096, None))",
          "tried('remount', libc.mount(None, b'/', None, 32, None))",
          "tried('umount', libc.umount2(b'/proc/kcore', 2))",
          "tried('pivot-root', libc.syscall(155, b'/tmp', b'/tmp'))",
          "tried('mknod-block', libc.mknod(b'/workspace/disk', 0o60666, 0xfe00))",
          "tried('mknod-memory', libc.mknod(b'/workspace/mem', 0o20666, 0x101))",
          "tried('keyctl', libc.syscall(250, 0, -3, 0))",
          "tried('add-key', libc.syscall(248, b'user', b'name', b'value', 5, -3))",
          "tried('bpf', libc.syscall(321, 0, None, 0))",
          "tried('perf', libc.syscall(298, None, 0, -1, -1, 0))",
          "tried('userfaultfd', libc.syscall(323, 0))",
          "tried('init-module', libc.syscall(175, None, 0, b''))",
          "tried('kexec', libc.syscall(246, 0, 0, None, 0))",
          "tried('reboot', libc.syscall(169, 0xfee1dead, 672274793, 0x1234567, None))",
          "tried('swapon', libc.syscall(167, b'/workspace/m', 0))",
          "tried('settime', libc.syscall(227, 0, ctypes.create_string_buffer(16)))",
          "tried('hostname', libc.sethostname(b'x', 1))",
          "tried('open-by-handle', libc.syscall(304, -100, ctypes.create_string_buffer(128), 0))",
          "tried('ptrace-keeper', libc.ptrace(16, 1, None, None))",
          "tried('read-keeper', libc.syscall(310, 1, None, 0, None, 0, 0))",
        ].join("\n"),
      );
      const ended = calls.out.trim().split("\n");
      // Reading nothing of another process may be no fault; of memory of its own nothing came along.
      expect(ended.filter((line) => line.endsWith("done") && !line.startsWith("read-keeper"))).toEqual([]);
      expect(ended).toHaveLength(22);
      const files = await sh(
        sandbox,
        "for f in /proc/sysrq-trigger /proc/sys/kernel/core_pattern /proc/sys/vm/drop_caches /sys/kernel/uevent_helper /proc/1/mem /proc/1/oom_score_adj /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max /sys/fs/cgroup/cgroup.procs; do { echo b >$f; } 2>/dev/null && echo wrote $f; done; ls /dev | tr '\\n' ' '",
      );
      expect(files.out).not.toContain("wrote");
      expect(files.out).not.toMatch(/\b(?:vd|sd|nvme|loop|mem|kmsg|fuse|kvm|net)\w*\b/);
    },
  );

  it("the Docker socket", async () => {
    const found = await sh(
      sandbox,
      "ls /var/run/docker.sock /run/docker.sock /run/containerd /var/run/containerd 2>/dev/null; find / -type s 2>/dev/null",
    );
    expect(found.out).toBe("");
    const { HostConfig, Mounts } = await docker.getContainer(sandbox.id).inspect();
    expect(Mounts.filter(({ Type }) => Type !== "tmpfs")).toEqual([]);
    expect(HostConfig).toMatchObject({ Privileged: false, ReadonlyRootfs: true, NetworkMode: "none" });
    expect(HostConfig.MemorySwap).toBe(HostConfig.Memory);
  });

  it("processes that hide from a time-out: other sessions, no parent, an empty environment", async () => {
    const hidden = [
      "(setsid env -i sh -c 'while :; do echo gymline-abuse >/workspace/sign; sleep 0.1; done' </dev/null >/dev/null 2>&1 &)",
      'python3 -c \'import os; os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0); os.execvp("sleep", ["gymline-abuse", "300"])\' >/dev/null 2>&1',
      "sleep 60",
    ];
    expect((await sh(sandbox, hidden.join("\n"), 2000)).end).toEqual({ kind: "timeout" });
    await sh(sandbox, "rm -f sign; sleep 1");
    expect(
      (await sh(sandbox, "ls; cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c gymline-abus[e]")).out,
    ).toBe("0\n");
  });

  it("ending the helper that ends processes, and then not being ended", async () => {
    const { end } = await sh(sandbox, "kill -9 -1; trap '' TERM INT HUP; sleep 60", 1500);
    expect(end).toEqual({ kind: "timeout" });
    await works();
  });

  it("staying after its lifetime", async () => {
    const brief = await sandboxes.create(sandboxSpec({ limits: { lifetimeMs: 2000 } }));
    try {
      const stays = sh(brief, "trap '' TERM; while :; do sleep 1; done", 60_000);
      const outcome = await stays.then(
        ({ end }) => end.kind,
        (error: unknown) => error instanceof Error && error.name,
      );
      expect(["timeout", "SandboxError"]).toContain(outcome);
      await expect(sh(brief, "echo x")).rejects.toMatchObject({ reason: "lost" });
    } finally {
      await brief.close();
    }
  });

  it("taking the host's processor and memory: the host has its own share left", async () => {
    const { HostConfig } = await docker.getContainer(sandbox.id).inspect();
    expect(HostConfig.NanoCpus).toBe(5e8);
    expect(HostConfig.PidsLimit).toBe(64);
    const spun = await python(
      "import time\nt = time.time()\nwhile time.time() - t < 3: pass\nprint(time.process_time())",
    );
    // Half a processor for three seconds, and what the scheduler lends.
    expect(Number(spun.out)).toBeLessThan(2.2);
  });
});

/** Processes of the host whose command line holds a word. */
function processesNamed(word: string): readonly string[] {
  if (!existsSync("/proc"))
    return execFileSync("ps", ["ax"], { encoding: "utf8" })
      .split("\n")
      .filter((line) => line.includes(word));
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/cmdline`, "utf8").includes(word);
    } catch {
      // It ended meanwhile.
      return false;
    }
  });
}
