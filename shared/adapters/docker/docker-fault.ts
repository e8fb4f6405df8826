import { SandboxError } from "../../ports/sandbox.ts";

/** HTTP status of what Docker answered; undefined where it did not answer. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("statusCode" in error)) return undefined;
  return typeof error.statusCode === "number" ? error.statusCode : undefined;
}

const SOCKET_FAULTS: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "no Docker is installed or running here"],
  ["ECONNREFUSED", "no Docker is running here"],
  ["EACCES", "this user may not talk to Docker"],
  ["EPERM", "this user may not talk to Docker"],
  ["ENOTFOUND", "DOCKER_HOST names a machine that is not found"],
  ["ETIMEDOUT", "Docker does not answer"],
]);

const REMEDY =
  "start Docker, set DOCKER_HOST, or give this user the right to use it; for trusted demonstrations only there is the process backend, which isolates less";

/** What to make of a fault of Docker's while `what` was done. */
export function dockerFault(what: string, cause: unknown): SandboxError {
  if (cause instanceof SandboxError) return cause;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const unreachable = SOCKET_FAULTS.get(code);
  if (unreachable !== undefined) {
    return new SandboxError(`${what}: ${unreachable}; ${REMEDY}`, { reason: "unavailable", cause });
  }
  const why = cause instanceof Error ? cause.message : String(cause);
  return new SandboxError(`${what}: Docker says: ${why}`, { reason: "failed", cause });
}
