import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { describe, expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "../factories/temporary.ts";
import { goodLogs } from "./program.ts";

const MAIN = resolve(import.meta.dirname, "../../containers/gymline/main.ts");

async function connected(args: readonly string[] = [], cwd = temporaryFolder("mcp")): Promise<Client> {
  const client = new Client({ name: "test", version: "1" });
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [MAIN, "mcp", ...args],
    cwd,
    env: { PATH: process.env["PATH"] ?? "", HOME: cwd },
    stderr: "pipe",
  });
  onTestFinished(() => client.close());
  await client.connect(transport);
  return client;
}

async function call(client: Client, name: string, args: Record<string, unknown> = {}) {
  const result = await client.callTool({ name, arguments: args });
  const [first] = result.content;
  return { isError: result.isError === true, text: first?.type === "text" ? first.text : "" };
}

describe("gymline mcp", () => {
  it("offers environments and commands, with schemas, and says which change nothing", async () => {
    const client = await connected();
    const { tools } = await client.listTools();
    const reads = tools.filter(({ annotations }) => annotations?.readOnlyHint === true);
    expect(reads.map(({ name }) => name).sort()).toEqual(
      ["domains", "env_list", "formats", "list", "score", "show", "status", "trace", "validate"].sort(),
    );
    expect(tools.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["run", "export", "collect", "env_make", "env_reset", "env_step", "env_close"]),
    );
    expect(tools.find(({ name }) => name === "show")?.inputSchema).toMatchObject({
      type: "object",
      properties: { id: { type: "string" } },
      required: ["id"],
    });
    const careful = await connected(["--read-only"]);
    const { tools: few } = await careful.listTools();
    expect(few.every(({ annotations }) => annotations?.readOnlyHint === true)).toBe(true);
    expect(await call(careful, "run", { drop: "x" }).catch(() => ({ isError: true }))).toMatchObject({
      isError: true,
    });
  });

  it("takes a drop in, lists, shows, traces and exports it", async () => {
    const cwd = temporaryFolder("mcp");
    const client = await connected(["--store", join(cwd, "store")], cwd);
    const ran = await call(client, "run", { drop: goodLogs(), export: false });
    expect(ran).toMatchObject({ isError: false });
    expect(existsSync(join(cwd, "store/catalog.sqlite"))).toBe(true);
    const listed = await call(client, "list", { limit: 1 });
    const { id } = JSON.parse(listed.text.split("\n")[0] ?? "");
    const shown = await call(client, "show", { id: String(id).slice(0, 10) });
    expect(shown.text).toContain(id);
    expect((await call(client, "trace", { id })).text).toContain(".json");
    const exported = await call(client, "export", { success: "any", name: "mine" });
    expect(exported).toMatchObject({ isError: false });
    expect(existsSync(join(cwd, "store/datasets/mine"))).toBe(true);
  });

  it("lets a client act in environments, each session by itself", async () => {
    const client = await connected();
    expect((await call(client, "env_list")).text).toContain("gymline/conversation-v1");
    const sessions = [];
    for (let each = 0; each < 2; each += 1) {
      sessions.push(
        JSON.parse((await call(client, "env_make", { env: "gymline/conversation" })).text).session,
      );
    }
    const [session, other] = sessions;
    const task = { id: "t", description: "Greet me" };
    const first = JSON.parse((await call(client, "env_reset", { session, task, seed: 3 })).text);
    expect(first).toMatchObject({ observation: "Greet me", done: false });
    expect(first.tools.map(({ name }: { readonly name: string }) => name)).toContain("respond");
    const step = await call(client, "env_step", { session, tool: "respond", params: { message: "Hello" } });
    expect(JSON.parse(step.text)).toHaveProperty("done");
    const unknown = await call(client, "env_step", { session: other, tool: "respond", params: {} });
    expect(unknown).toMatchObject({ isError: true, text: expect.stringMatching(/reset/) });
    expect(await call(client, "env_close", { session })).toMatchObject({ isError: false });
    const closed = await call(client, "env_step", { session, tool: "respond" });
    expect(closed).toMatchObject({ isError: true, text: expect.stringContaining("There is no session") });
  });

  it("gives errors as results that say what to do, and goes on", async () => {
    const client = await connected();
    const missing = await call(client, "list");
    expect(missing).toMatchObject({ isError: true, text: expect.stringContaining("gymline run") });
    const unknown = await call(client, "env_make", { env: "gymline/conversatio" });
    expect(unknown).toMatchObject({ isError: true, text: expect.stringContaining("did you mean") });
    const option = await call(client, "show", { id: "--help" });
    expect(option).toMatchObject({ isError: true });
    expect(option.text).not.toContain("Usage:");
    const wrong = await call(client, "show", { id: 3 }).catch((error: Error) => ({
      isError: true,
      text: error.message,
    }));
    expect(wrong).toMatchObject({ isError: true });
    expect((await call(client, "formats")).text).toContain("mini-swe-agent");
  });

  it("collects with a scripted agent", async () => {
    const cwd = temporaryFolder("mcp");
    writeFileSync(join(cwd, "tasks.jsonl"), JSON.stringify({ id: "t", description: "Greet me" }));
    const turns = [{ calls: [{ tool: "respond", params: { message: "Hello" } }] }];
    writeFileSync(join(cwd, "turns.json"), JSON.stringify(turns));
    const client = await connected([], cwd);
    const args = {
      env: "gymline/conversation",
      agent: "scripted:turns.json",
      tasks: "tasks.jsonl",
      n: 2,
      out: "d",
    };
    const collected = await call(client, "collect", args);
    expect(collected).toMatchObject({ isError: false });
    const { run, summary } = JSON.parse(collected.text);
    expect(summary.episodes).toEqual({ done: 2, failed: 0 });
    expect(JSON.parse(readFileSync(join(cwd, "d", run, "t.1.json"), "utf8"))).toHaveProperty("steps");
  });
});
