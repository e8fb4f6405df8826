import { randomUUID } from "node:crypto";
import { McpServer } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import type { EnvPorts } from "../../../shared/env/registry.ts";
import { envPorts } from "../env-ports.ts";
import { COMMAND_TOOLS } from "./command-tools.ts";
import { EnvSessions } from "./env-sessions.ts";
import { addEnvTools } from "./env-tools.ts";
import { runCommand } from "./run-command.ts";
import { answered } from "./tool-answer.ts";

export interface McpOptions {
  /** Default of tools that take a store. */
  readonly store: string;
  /** Serves only what changes nothing; environments too are left out, since they act. */
  readonly readOnly: boolean;
  readonly version: string;
}

/** Serves environments and commands over stdin and stdout until the client goes. */
export async function serveMcp(options: McpOptions): Promise<void> {
  const sessions = new EnvSessions(randomUUID);
  const stop = new AbortController();
  const gone = Promise.withResolvers<void>();
  const ports = options.readOnly ? undefined : await envPorts();
  const handle = serveStdio(() => mcpServer(options, { sessions, ports, signal: stop.signal }));
  process.stdin.once("end", gone.resolve).once("close", gone.resolve);
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, gone.resolve);
  await gone.promise;
  stop.abort(new Error("the server ends"));
  await sessions.closeAll();
  await handle.close();
}

function mcpServer(
  options: McpOptions,
  {
    sessions,
    ports,
    signal,
  }: { readonly sessions: EnvSessions; readonly ports: EnvPorts | undefined; readonly signal: AbortSignal },
): McpServer {
  const server = new McpServer({ name: "gymline", version: options.version });
  if (ports !== undefined) addEnvTools(server, { sessions, ports });
  for (const tool of COMMAND_TOOLS) {
    if (options.readOnly && !tool.readOnly) continue;
    server.registerTool(
      tool.name,
      {
        description: tool.description,
        inputSchema: tool.input,
        annotations: {
          readOnlyHint: tool.readOnly,
          destructiveHint: false,
          openWorldHint: tool.name === "collect",
        },
      },
      async (input, { mcpReq }) =>
        answered(() =>
          runCommand(tool.args(input, options), { signal: AbortSignal.any([signal, mcpReq.signal]) }),
        ),
    );
  }
  return server;
}
