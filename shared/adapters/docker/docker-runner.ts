import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type Docker from "dockerode";
import { type RefusedTarget, SandboxError } from "../../ports/sandbox.ts";
import { Quiet } from "../sandbox-files/quiet.ts";
import type { RunEnd, Runner, RunRequest } from "../sandbox-files/runner.ts";
import { dockerFault, statusOf } from "./docker-fault.ts";
import type { Egress } from "./egress.ts";
import { FrameReader } from "./frames.ts";
import { KillSwitch } from "./kill-switch.ts";

/** Commands run as this user; the container's first process as the keeper, which they can neither end nor trace. */
export const USER = "1000:1000";
export const KEEPER = "1001:1001";

/**
 * Docker closes the outputs of a command two seconds after its end where a background process holds them open. Should
 * it not, it is asked now and then whether the command has ended.
 */
const LOOKS_APART_MS = 1000;
/** Of a command that has ended, after which nothing is on its way any more. */
const SILENCE_MS = 3000;
/** A fork bomb, or a machine with hundreds of sandboxes, leaves little of the processor to what ends processes. */
const END_PATIENCE_MS = 180_000;
const LONGEST_PAUSE_MS = 1000;
/** Of a command that was ended, to close its outputs. */
const SWITCH_PATIENCE_MS = 3000;

/** Runs commands in one container by `docker exec`'s interface. */
export class DockerRunner implements Runner {
  readonly #docker: Docker;
  readonly #id: string;
  readonly #egress: Egress | undefined;
  #killSwitch: KillSwitch | undefined;

  /** `egress`: of a sandbox with an allow-list. */
  constructor(docker: Docker, id: string, egress?: Egress) {
    this.#docker = docker;
    this.#id = id;
    this.#egress = egress;
  }

  async run(request: RunRequest): Promise<RunEnd> {
    request.signal?.throwIfAborted();
    this.#killSwitch ??= new KillSwitch(this.#container, USER);
    const { exec, stream } = await this.#start(request);
    const stop = new AbortController();
    const timer = AbortSignal.timeout(Math.max(1, Math.round(request.timeoutMs)));
    const cut = request.signal === undefined ? timer : AbortSignal.any([timer, request.signal]);
    const interrupted = new Promise<"cut">((resolve) => {
      cut.addEventListener("abort", () => resolve("cut"), { once: true });
    });
    const quiet = new Quiet();
    const output = this.#read(stream, { ...request, quiet });
    const input = feed(stream, request.stdin, stop.signal);
    try {
      const ended = this.#ended(exec, stop.signal);
      const first = await Promise.race([output, ended, interrupted]);
      if (first === "cut") {
        await this.#cutOff(output);
        request.signal?.throwIfAborted();
        return { kind: "timeout" };
      }
      if (first === "ended") await Promise.race([output, quiet.for(SILENCE_MS, stop.signal)]);
      return { kind: "exit", code: await this.#exitCode(exec) };
    } finally {
      stop.abort();
      stream.destroy();
      await Promise.allSettled([output, input]);
    }
  }

  /** Ends a command and all else. */
  async #cutOff(output: Promise<unknown>): Promise<void> {
    const closed = output.then(() => true);
    if (
      (await this.#killSwitch?.fire()) &&
      (await Promise.race([closed, delay(SWITCH_PATIENCE_MS, false)]))
    ) {
      return;
    }
    await this.endProcesses();
    await Promise.race([closed, delay(SWITCH_PATIENCE_MS)]);
  }

  async endProcesses(): Promise<void> {
    const until = performance.now() + END_PATIENCE_MS;
    for (let pause = 20; performance.now() < until; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
      if ((await this.#killAll(until - performance.now())) === 0) return;
      await delay(pause);
    }
    // Better no sandbox than one that nobody can stop.
    await this.remove();
    throw this.#lost("would not end its processes and was removed");
  }

  /** By the user of the commands itself, whom the kernel lets end all that is his, and nothing else. */
  async #killAll(patienceMs: number): Promise<number> {
    const exec = await this.#asking("its processes cannot be ended", () =>
      this.#container.exec({ User: USER, Cmd: ["/bin/sh", "-c", "kill -9 -1"] }),
    );
    try {
      // An answer that nobody reads would keep its connection, and this program, open for minutes.
      (await exec.start({ Detach: true })).destroy();
    } catch (error) {
      // In a container full of processes there may be no room to start another; the next try may find some.
      if (statusOf(error) === undefined) throw dockerFault(`sandbox ${this.#id}`, error);
      return -1;
    }
    const until = performance.now() + patienceMs;
    for (let wait = 2; performance.now() < until; wait = Math.min(50, wait * 2)) {
      const { Running, ExitCode } = await exec.inspect();
      if (!Running) return ExitCode ?? -1;
      await delay(wait);
    }
    return -1;
  }

  async memoryKills(): Promise<number | null> {
    const chunks: Uint8Array[] = [];
    // The one is where version 1 of control groups has it, the other where version 2 has.
    const files = ["/sys/fs/cgroup/memory/memory.oom_control", "/sys/fs/cgroup/memory.events"];
    await this.run({
      command: ["cat", ...files],
      cwd: "/",
      onStdout: (chunk) => {
        chunks.push(chunk);
      },
      onStderr: () => undefined,
      timeoutMs: 10_000,
    });
    const count = /^oom_kill (\d+)$/m.exec(Buffer.concat(chunks).toString("latin1"))?.[1];
    return count === undefined ? null : Number(count);
  }

  async refusedTargets(): Promise<readonly RefusedTarget[]> {
    return (await this.#egress?.refused(this.#id)) ?? [];
  }

  async remove(): Promise<void> {
    void this.#killSwitch?.disarm();
    await Promise.all([this.#removeContainer(), this.#egress?.remove(this.#id)]);
  }

  async #removeContainer(): Promise<void> {
    try {
      await this.#container.remove({ force: true, v: true });
    } catch (error) {
      const status = statusOf(error);
      if (status === 404) return;
      if (status !== 409) throw dockerFault(`sandbox ${this.#id} cannot be removed`, error);
      // It is being removed already, as at the end of its lifetime.
      await this.#container.wait({ condition: "removed" }).catch((gone: unknown) => {
        if (statusOf(gone) !== 404) throw dockerFault(`sandbox ${this.#id} cannot be removed`, gone);
      });
    }
  }

  get #container(): Docker.Container {
    return this.#docker.getContainer(this.#id);
  }

  async #start(request: RunRequest): Promise<{ readonly exec: Docker.Exec; readonly stream: Duplex }> {
    const { command, cwd, env, stdin } = request;
    return this.#asking("a command cannot be started", async () => {
      const exec = await this.#container.exec({
        User: USER,
        Cmd: [...command],
        WorkingDir: cwd,
        Env: Object.entries(env ?? {}).map(([name, value]) => `${name}=${value}`),
        AttachStdin: stdin !== undefined,
        AttachStdout: true,
        AttachStderr: true,
      });
      return { exec, stream: await exec.start({ hijack: true, stdin: stdin !== undefined }) };
    });
  }

  async #read(
    stream: Duplex,
    { onStdout, onStderr, quiet }: RunRequest & { readonly quiet: Quiet },
  ): Promise<"closed"> {
    const frames = new FrameReader();
    try {
      for await (const chunk of stream) {
        quiet.heard();
        for (const { kind, bytes } of frames.read(chunk)) {
          const taken = kind === "stdout" ? onStdout(bytes) : onStderr(bytes);
          if (taken !== undefined) await taken;
        }
      }
    } catch (error) {
      // Destroyed by ourselves, when the command was over.
      const code = error instanceof Error && "code" in error ? error.code : "";
      if (code !== "ERR_STREAM_PREMATURE_CLOSE" && code !== "ECONNRESET") throw error;
    }
    return "closed";
  }

  async #ended(exec: Docker.Exec, signal: AbortSignal): Promise<"ended"> {
    for (;;) {
      // Left waiting once the output has ended: nobody looks at it any more.
      await delay(LOOKS_APART_MS, undefined, { signal }).catch(() => new Promise<never>(() => undefined));
      const state = await exec.inspect().catch(() => undefined);
      if (state === undefined || !state.Running) return "ended";
    }
  }

  async #exitCode(exec: Docker.Exec): Promise<number> {
    for (let wait = 1; ; wait = Math.min(100, wait * 2)) {
      const { Running, ExitCode } = await this.#asking("a command's end is not known", () => exec.inspect());
      if (!Running && ExitCode !== null) {
        if (ExitCode === 137) await this.#checkAlive();
        return ExitCode;
      }
      await delay(wait);
    }
  }

  /** The end of a container ends its commands, too. */
  async #checkAlive(): Promise<void> {
    const { State } = await this.#asking("it cannot be looked at", () => this.#container.inspect());
    if (!State.Running) throw this.#lost("has ended");
  }

  async #asking<T>(what: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      const status = statusOf(error);
      if (status === 404 || status === 409) throw this.#lost("is gone", error);
      throw dockerFault(`sandbox ${this.#id}: ${what}`, error);
    }
  }

  #lost(why: string, cause?: unknown): SandboxError {
    const message = `sandbox ${this.#id} ${why}: its lifetime is over, or it was removed; create a new one`;
    return new SandboxError(message, { reason: "lost", cause });
  }
}

async function feed(stream: Duplex, stdin: RunRequest["stdin"], signal: AbortSignal): Promise<void> {
  if (stdin === undefined) return;
  for await (const chunk of stdin) {
    if (signal.aborted || stream.destroyed) return;
    if (stream.write(chunk)) continue;
    await new Promise<void>((resolve) => {
      stream.once("drain", resolve).once("close", resolve).once("error", resolve);
    });
  }
  stream.end();
}
