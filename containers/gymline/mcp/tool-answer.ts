import type { CallToolResult } from "@modelcontextprotocol/server";
import { messageOf } from "../faults.ts";

/** The result of a tool as text; an error is the tool's result too, for the model to read and act on. */
export async function answered(work: () => Promise<unknown>): Promise<CallToolResult> {
  try {
    const value = await work();
    const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
    return { content: [{ type: "text", text }] };
  } catch (error) {
    return { isError: true, content: [{ type: "text", text: messageOf(error) }] };
  }
}
