import type { McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import { listEnvs, makeEnv } from "../../../shared/env/envs.ts";
import type { TimeStep } from "../../../shared/env/protocol.ts";
import type { EnvPorts } from "../../../shared/env/registry.ts";
import { envTaskSchema } from "../../../shared/env/task.ts";
import type { EnvSessions } from "./env-sessions.ts";
import { answered } from "./tool-answer.ts";

const session = z.string().min(1).describe("from env_make");

/** Environments as tools: make, reset, step, close; each session is an environment of its own. */
export function addEnvTools(
  server: McpServer,
  { sessions, ports }: { readonly sessions: EnvSessions; readonly ports: EnvPorts },
): void {
  server.registerTool(
    "env_list",
    {
      description: "Lists the environments that can be made.",
      inputSchema: z.strictObject({ domain: z.string().exactOptional() }),
      annotations: { readOnlyHint: true },
    },
    async (filter) => answered(async () => listEnvs(filter)),
  );
  server.registerTool(
    "env_make",
    {
      description:
        "Makes an environment and gives its session. Then env_reset, env_step until done, env_close.",
      inputSchema: z.strictObject({
        env: z.string().min(1).describe("id, such as gymline/conversation-v1"),
        options: z.record(z.string(), z.unknown()).optional(),
      }),
      annotations: { readOnlyHint: false },
    },
    async ({ env, options }) =>
      answered(async () => {
        const made = makeEnv(env, { ports, ...(options === undefined ? {} : { options }) });
        return { session: sessions.make(made), env: made.id, domain: made.domain };
      }),
  );
  server.registerTool(
    "env_reset",
    {
      description: "Begins an episode; gives what is seen first and the tools of the task.",
      inputSchema: z.strictObject({
        session,
        task: envTaskSchema.exactOptional(),
        seed: z.int().nonnegative().exactOptional(),
      }),
      annotations: { readOnlyHint: false },
    },
    async ({ session: id, ...options }, { mcpReq: { signal } }) =>
      answered(async () => {
        const { step, tools } = await sessions.reset(id, { ...options, signal });
        return { ...step, tools };
      }),
  );
  server.registerTool(
    "env_step",
    {
      description: "Takes one step: a call of one of the environment's tools.",
      inputSchema: z.strictObject({
        session,
        tool: z.string().min(1),
        params: z.record(z.string(), z.unknown()).default({}),
      }),
      annotations: { readOnlyHint: false },
    },
    async ({ session: id, ...action }, { mcpReq: { signal } }) =>
      answered(async (): Promise<TimeStep> => sessions.step(id, action, signal)),
  );
  server.registerTool(
    "env_close",
    {
      description: "Ends a session and frees what it holds.",
      inputSchema: z.strictObject({ session }),
      annotations: { readOnlyHint: false, idempotentHint: false },
    },
    async ({ session: id }) =>
      answered(async () => {
        await sessions.close(id);
        return { closed: id };
      }),
  );
}
