import { onTestFinished } from "vitest";
import { ProcessSandboxes } from "../../shared/adapters/process-sandbox/process-sandboxes.ts";
import type { Sandbox } from "../../shared/ports/sandbox.ts";
import { sandboxSpec } from "../../shared/sandbox/sandbox-limits.ts";
import { temporaryFolder } from "./temporary.ts";

/** This engine limits addresses, of which Node takes many more than memory. */
const ADDRESSES = 64 * 2 ** 30;

/** Real programs in a temporary folder, isolated from nothing: for commands that a test wrote itself. */
export async function localSandbox(): Promise<Sandbox> {
  const engine = new ProcessSandboxes({ isolation: "none", stateFolder: temporaryFolder("sandbox") });
  const sandbox = await engine.create(sandboxSpec({ limits: { memoryBytes: ADDRESSES } }));
  onTestFinished(() => sandbox.close());
  return sandbox;
}
