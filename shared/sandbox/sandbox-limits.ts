import { SandboxError, type SandboxLimits, type SandboxSpec } from "../ports/sandbox.ts";
import { AllowListError, allowedTargets } from "./allow-list.ts";

const MIB = 2 ** 20;

export const DEFAULT_IMAGE = "gymline/sandbox:1";

export const WORKSPACE = "/workspace";

export const DEFAULT_LIMITS: SandboxLimits = {
  memoryBytes: 512 * MIB,
  cpus: 1,
  pids: 256,
  diskBytes: 256 * MIB,
  lifetimeMs: 3_600_000,
};

/** What a sandbox needs to work at all. */
const LEAST: SandboxLimits = {
  memoryBytes: 16 * MIB,
  cpus: 0.01,
  pids: 16,
  diskBytes: MIB,
  lifetimeMs: 1000,
};

const WORKSPACES_APART = ["", "/", "/tmp", "/proc", "/sys", "/dev", "/etc", "/bin", "/usr", "/lib", "/sbin"];

/** A spec with what is not given as the defaults have it. */
export function sandboxSpec(
  given: Partial<Omit<SandboxSpec, "limits">> & { readonly limits?: Partial<SandboxLimits> } = {},
): SandboxSpec {
  return {
    image: DEFAULT_IMAGE,
    workspace: WORKSPACE,
    env: {},
    network: "none",
    labels: {},
    ...given,
    limits: { ...DEFAULT_LIMITS, ...given.limits },
  };
}

/** @throws SandboxError (`refused`) */
export function checkSpec(spec: SandboxSpec): void {
  const refuse = (why: string): SandboxError => new SandboxError(why, { reason: "refused" });
  for (const [name, least] of Object.entries(LEAST)) {
    const value = Object.entries(spec.limits).find(([each]) => each === name)?.[1];
    if (typeof value === "number" && Number.isFinite(value) && value >= least) continue;
    throw refuse(`the limit ${name} of a sandbox is ${value}; it takes a number of at least ${least}`);
  }
  const { workspace } = spec;
  const plain = /^(?:\/[A-Za-z0-9_][A-Za-z0-9_.-]*)+$/.test(workspace);
  if (!plain || WORKSPACES_APART.includes(workspace)) {
    throw refuse(
      `the workspace ${JSON.stringify(workspace)} is none; give a folder of its own such as /workspace`,
    );
  }
  const name = Object.keys(spec.env).find((each) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(each));
  if (name !== undefined) throw refuse(`a variable cannot be named ${JSON.stringify(name)}`);
  if (spec.network === "none") return;
  try {
    allowedTargets(spec.network);
  } catch (error) {
    throw error instanceof AllowListError ? refuse(error.message) : error;
  }
}
