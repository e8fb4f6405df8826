import { z } from "zod";
import { type AllowList, AllowListError, allowedTargets } from "../sandbox/allow-list.ts";
import { EnvOptionsError, type EnvRegistration } from "./registry.ts";
import { EPISODE_TIMEOUT_MS, sandboxEnv } from "./sandbox-env.ts";

const seconds = z.number().positive().exactOptional();

/** What `make` may be given for the sandbox; a task's own `sandbox` field comes before it. */
export const sandboxOptionsSchema = z.strictObject({
  /** Image where the task names none. */
  image: z.string().min(1).exactOptional(),
  /** Container runtime such as `runsc`. */
  runtime: z.string().min(1).exactOptional(),
  memoryBytes: z.int().positive().exactOptional(),
  cpus: z.number().positive().exactOptional(),
  pids: z.int().positive().exactOptional(),
  diskBytes: z.int().positive().exactOptional(),
  commandTimeoutSeconds: seconds,
  episodeTimeoutSeconds: seconds,
  setupTimeoutSeconds: seconds,
  testTimeoutSeconds: seconds,
  maxOutputBytes: z.int().positive().exactOptional(),
  /** What sandboxes may reach: `host`, `host:port`, `*.host`. No network where absent. */
  allow: z.array(z.string()).exactOptional(),
  /** Private IPv4 ranges that names of `allow` may lead to. */
  privateRanges: z.array(z.string()).exactOptional(),
});
type SandboxOptions = z.infer<typeof sandboxOptionsSchema>;

/** `sandbox-v1` but for its id; needs the ports `sandboxes`, and `repositories` for tasks that begin from one. */
export const sandboxRegistration = {
  domain: "coding",
  description: "A workspace in a sandbox with shell, files and git, judged by tests at submit.",
  options: sandboxOptionsSchema,
  create: ({ id, options, ports, episodeMs }) => {
    const { sandboxes, repositories, clock } = ports;
    if (sandboxes === undefined) {
      throw new EnvOptionsError(id, "it needs an engine of sandboxes: give ports.sandboxes");
    }
    const { image, runtime, memoryBytes, cpus, pids, diskBytes, maxOutputBytes } = options;
    const network = networkOf(id, options);
    return sandboxEnv({
      sandboxes,
      ...given({ repositories, clock, maxOutputBytes }),
      spec: { ...given({ image, runtime, network }), limits: given({ memoryBytes, cpus, pids, diskBytes }) },
      ...given({
        commandTimeoutMs: inMilliseconds(options.commandTimeoutSeconds),
        episodeTimeoutMs: inMilliseconds(options.episodeTimeoutSeconds) ?? atLeast(episodeMs),
        setupTimeoutMs: inMilliseconds(options.setupTimeoutSeconds),
        testTimeoutMs: inMilliseconds(options.testTimeoutSeconds),
      }),
    });
  },
} as const satisfies Omit<EnvRegistration<SandboxOptions>, "id">;

/** Whoever gives the time ends the episode first, and with the usual limit, which is shorter, it would not be theirs. */
function atLeast(episodeMs: number | undefined): number | undefined {
  return episodeMs === undefined ? undefined : Math.max(EPISODE_TIMEOUT_MS, episodeMs + 60_000);
}

/** @throws EnvOptionsError */
function networkOf(id: string, { allow, privateRanges }: SandboxOptions): AllowList | undefined {
  if (allow === undefined) {
    if (privateRanges === undefined) return undefined;
    throw new EnvOptionsError(id, "options.privateRanges opens nothing without options.allow; give both");
  }
  const list = { allow, ...given({ privateRanges }) };
  try {
    allowedTargets(list);
    return list;
  } catch (cause) {
    if (cause instanceof AllowListError)
      throw new EnvOptionsError(id, `options.allow: ${cause.message}`, { cause });
    throw cause;
  }
}

function inMilliseconds(value: number | undefined): number | undefined {
  return value === undefined ? undefined : value * 1000;
}

function given<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
