import { z } from "zod";
import { runSandboxTool, SANDBOX_TOOLS } from "../../shared/env/sandbox-tools.ts";
import type { Sandbox } from "../../shared/ports/sandbox.ts";
import { out } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

/** Submitting is for whoever has the task, and with it the tests. */
const TOOLS = SANDBOX_TOOLS.filter(({ name }) => name !== "submit");

/** Calls a tool as an agent would, and shows what the agent would see. @throws UsageError */
export async function callTool(request: {
  readonly sandbox: Sandbox;
  readonly tool: string;
  /** JSON, as it was given. */
  readonly params: string;
  readonly timeoutMs: number;
  readonly json: boolean;
}): Promise<void> {
  const tool = TOOLS.find(({ name }) => name === request.tool);
  if (tool === undefined) {
    throw new UsageError(`--tool takes ${TOOLS.map(({ name }) => name).join(", ")}, not "${request.tool}"`);
  }
  const params = tool.params.safeParse(objectOf(request.params));
  if (!params.success) {
    throw new UsageError(`--params does not fit the tool ${tool.name}: ${z.prettifyError(params.error)}`);
  }
  const { text, exitCode, error } = await runSandboxTool(tool.name, params.data, {
    sandbox: request.sandbox,
    env: {},
    timeoutMs: request.timeoutMs,
    maxOutputBytes: 16_384,
    spent: () => undefined,
  });
  if (request.json) {
    const facts = { observation: text, exit_code: exitCode, ...(error === undefined ? {} : { error }) };
    out(JSON.stringify({ schema: "gymline.sandbox-tool.v1", ...facts }));
  } else {
    out(text.replace(/\n$/, ""));
  }
  process.exitCode = exitCode;
}

function objectOf(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new UsageError(`--params takes a JSON object, not ${JSON.stringify(json)}`, { cause });
  }
}
