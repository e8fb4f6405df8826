import type { Command } from "commander";
import type { SandboxLimits, SandboxSpec } from "../../shared/ports/sandbox.ts";
import { AllowListError, allowedTargets } from "../../shared/sandbox/allow-list.ts";
import { DEFAULT_IMAGE } from "../../shared/sandbox/sandbox-limits.ts";
import { collect } from "./options.ts";
import { UsageError } from "./usage-error.ts";

export interface EngineOptions {
  readonly backend: string;
  readonly json?: boolean;
}

export interface LimitOptions {
  readonly image?: string;
  readonly runtime?: string;
  readonly memory?: string;
  readonly cpus?: string;
  readonly pids?: string;
  readonly disk?: string;
  readonly lifetime?: string;
  readonly allow?: readonly string[];
  readonly allowPrivate?: readonly string[];
}

export function engineOptions(command: Command): Command {
  return command
    .option(
      "--backend <name>",
      "docker; process (bubblewrap, weaker); process-unisolated (trusted programs only)",
      "docker",
    )
    .option("--json", "print JSON");
}

export function limitOptions(command: Command): Command {
  return command
    .option("--image <name>", `image of the sandbox (default: ${DEFAULT_IMAGE}, or the task's)`)
    .option("--runtime <name>", "container runtime, such as runsc")
    .option("--memory <size>", "of its processes: 512m, 2g (default: 512m)")
    .option("--cpus <n>", "processors (default: 1)")
    .option("--pids <n>", "processes (default: 256)")
    .option("--disk <size>", "of workspace and /tmp, each (default: 256m)")
    .option("--lifetime <time>", "after which it ends by itself: 90s, 30m, 2h (default: 1h)")
    .option(
      "--allow <host>",
      "let it reach host, host:port or *.host by an HTTP proxy, and nothing else (may be given several times; default: no network)",
      collect,
    )
    .option(
      "--allow-private <range>",
      "private addresses that allowed hosts may have, such as 10.20.0.0/16 (may be given several times)",
      collect,
    );
}

/** @throws UsageError */
export function specOptions(
  options: LimitOptions,
): Partial<Omit<SandboxSpec, "limits">> & { readonly limits: Partial<SandboxLimits> } {
  const { image, runtime, memory, cpus, pids, disk, lifetime, allow, allowPrivate } = options;
  return {
    ...networkOf(allow, allowPrivate),
    ...(image === undefined ? {} : { image }),
    ...(runtime === undefined ? {} : { runtime }),
    limits: {
      ...(memory === undefined ? {} : { memoryBytes: sizeOf("--memory", memory) }),
      ...(cpus === undefined ? {} : { cpus: numberOf("--cpus", cpus) }),
      ...(pids === undefined ? {} : { pids: numberOf("--pids", pids) }),
      ...(disk === undefined ? {} : { diskBytes: sizeOf("--disk", disk) }),
      ...(lifetime === undefined ? {} : { lifetimeMs: timeOf("--lifetime", lifetime) }),
    },
  };
}

/** @throws UsageError */
function networkOf(
  allow: LimitOptions["allow"],
  privateRanges: LimitOptions["allowPrivate"],
): Pick<SandboxSpec, "network"> | undefined {
  if (allow === undefined) {
    if (privateRanges === undefined) return undefined;
    throw new UsageError("--allow-private opens nothing without --allow <host>; give both");
  }
  const network = { allow, ...(privateRanges === undefined ? {} : { privateRanges }) };
  try {
    allowedTargets(network);
    return { network };
  } catch (cause) {
    if (cause instanceof AllowListError) throw new UsageError(`--allow: ${cause.message}`, { cause });
    throw cause;
  }
}

/** Milliseconds. @throws UsageError */
export function timeOf(option: string, text: string): number {
  return measure({
    option,
    text,
    units: { ms: 1, s: 1000, m: 60_000, h: 3_600_000 },
    plain: 1000,
    example: "90s or 2h",
  });
}

function sizeOf(option: string, text: string): number {
  const units = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };
  return measure({ option, text, units, plain: 1, example: "512m or 2g" });
}

function measure(request: {
  readonly option: string;
  readonly text: string;
  readonly units: Readonly<Record<string, number>>;
  /** Of a number without a unit. */
  readonly plain: number;
  readonly example: string;
}): number {
  const { option, text, units, plain, example } = request;
  const [, digits = "", unit = ""] = /^(\d+(?:\.\d+)?)([a-z]*)$/i.exec(text.trim()) ?? [];
  const factor = unit === "" ? plain : units[unit.toLowerCase()];
  if (digits === "" || factor === undefined) {
    throw new UsageError(`${option} takes a measure such as ${example}, not "${text}"`);
  }
  return Math.round(Number(digits) * factor);
}

function numberOf(option: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value > 0) return value;
  throw new UsageError(`${option} takes a number above 0, not "${text}"`);
}
