import type { Command } from "commander";
import { examples, storeOption } from "../options.ts";

interface McpCommandOptions {
  readonly store: string;
  readonly readOnly?: boolean;
}

export function addMcp(program: Command): void {
  const command = program
    .command("mcp")
    .description("serve environments and commands to a model's client (Model Context Protocol, stdio)")
    .option("--read-only", "serve only what changes nothing");
  examples(storeOption(command), [
    "gymline mcp --store out",
    "claude mcp add gymline -- gymline mcp --read-only --store /data/out",
  ]).action(async ({ store, readOnly = false }: McpCommandOptions) => {
    // It takes a while to load, which other commands need not wait for.
    const { serveMcp } = await import("../mcp/server.ts");
    await serveMcp({ store, readOnly, version: program.version() ?? "unknown" });
  });
}
