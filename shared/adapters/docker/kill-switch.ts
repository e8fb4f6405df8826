import { once } from "node:events";
import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type Docker from "dockerode";

/** The processes of a fork bomb end one by one, each in its share of the processor. */
const PATIENCE_MS = 15_000;

/**
 * A process of the sandbox's user that waits, from before a command on, for the word to end all others of that user:
 * in a container that a fork bomb has filled, a new process takes most of a minute to start. Commands can end it, as
 * they can end any process of theirs; whoever uses it has to look whether it did its work.
 */
export class KillSwitch {
  readonly #stream: Promise<Duplex | undefined>;

  constructor(container: Docker.Container, user: string) {
    this.#stream = arm(container, user).catch(() => undefined);
  }

  /** Whether it says that all were ended. */
  async fire(): Promise<boolean> {
    const stream = await Promise.race([this.#stream, delay(PATIENCE_MS, undefined)]);
    if (stream === undefined || stream.destroyed || !stream.writable) return false;
    const stop = new AbortController();
    const answered = once(stream, "data", { signal: stop.signal }).then(
      () => true,
      () => false,
    );
    stream.write("now\n");
    const done = await Promise.race([answered, delay(PATIENCE_MS, false, { signal: stop.signal })]);
    stop.abort();
    return done;
  }

  async disarm(): Promise<void> {
    (await this.#stream)?.destroy();
  }
}

async function arm(container: Docker.Container, user: string): Promise<Duplex> {
  const exec = await container.exec({
    User: user,
    Cmd: ["/bin/sh", "-c", "while read -r word; do kill -9 -1; echo done; done"],
    AttachStdin: true,
    AttachStdout: true,
  });
  const stream = await exec.start({ hijack: true, stdin: true });
  stream.on("error", () => stream.destroy());
  stream.resume();
  // A program that has nothing else to do need not stay for it.
  if ("unref" in stream && typeof stream.unref === "function") stream.unref();
  return stream;
}
