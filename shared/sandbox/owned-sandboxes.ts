import { type Sandbox, SandboxError, type Sandboxes, type SandboxSpec } from "../ports/sandbox.ts";

/** Room that was set aside for each sandbox. */
export interface SandboxRoom {
  readonly cpus: number;
  readonly memoryBytes: number;
}

export interface OwnedOptions {
  /** On each sandbox that is made. */
  readonly labels: Readonly<Record<string, string>>;
  /** A larger sandbox is refused; absent: there is room for any. */
  readonly room?: SandboxRoom | undefined;
}

/** Sandboxes that carry the labels of whoever made them and keep to the room that it has for them. */
export function ownedSandboxes(engine: Sandboxes, { labels, room }: OwnedOptions): Sandboxes {
  return {
    kind: engine.kind,
    create: async (spec, signal) => {
      if (room !== undefined) checkRoom(spec, room);
      return engine.create({ ...spec, labels: { ...spec.labels, ...labels } }, signal);
    },
    open: (id) => engine.open(id),
    list: () => engine.list(),
    reap: () => engine.reap(),
  };
}

/**
 * Removes what outlived its time, and every sandbox with these labels: who begins anew and finds sandboxes of its own
 * has them from a predecessor that was killed. Gives the ids.
 */
export async function reapOwned(
  engine: Pick<Sandboxes, "open" | "list" | "reap">,
  labels: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const reaped = [...(await engine.reap())];
  for (const { id, labels: given } of await engine.list()) {
    if (!Object.entries(labels).every(([name, value]) => given[name] === value)) continue;
    const orphan: Sandbox | undefined = await engine.open(id).catch((error: unknown) => {
      // It came to its end in this moment.
      if (error instanceof SandboxError && error.reason === "lost") return undefined;
      throw error;
    });
    await orphan?.close();
    reaped.push(id);
  }
  return reaped;
}

/** Files of workspace and /tmp may lie in memory as well. @throws SandboxError (`refused`) */
function checkRoom({ limits }: SandboxSpec, room: SandboxRoom): void {
  const memory = limits.memoryBytes + 2 * limits.diskBytes;
  if (limits.cpus <= room.cpus && memory <= room.memoryBytes) return;
  throw new SandboxError(
    `this sandbox may take ${limits.cpus} processors and ${mib(memory)} MiB (memory and twice the disk), and there is room for ${room.cpus} and ${mib(room.memoryBytes)} MiB: lower the limits of the task, or give each sandbox more room (batch.rollouts.sandbox)`,
    { reason: "refused" },
  );
}

function mib(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20);
}
