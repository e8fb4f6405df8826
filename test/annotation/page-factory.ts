import type { PageData, PageItem } from "../../shared/annotation/page-data.ts";
import { idOf } from "../factories/catalog-rows.ts";

/** One trajectory of a page: a user's message and two turns of the agent. */
export function pageItem(name: string, more: Partial<PageItem> = {}): PageItem {
  return {
    id: idOf(name),
    domain: "coding",
    task: { id: name, description: `Do ${name}.`, repo: "" },
    rubrics: [
      { id: "goal_progress", name: "Goal progress", description: "It helps." },
      { id: "tool_choice", name: "Tool choice", description: "It fits." },
    ],
    turns: [
      { kind: "message", source: "user", text: `Do ${name}.` },
      {
        kind: "agent",
        index: 0,
        thought: "I look first.",
        message: "",
        calls: [{ tool: "bash", arguments: [{ name: "command", text: "ls" }], output: "a.txt", exitCode: 0 }],
        observations: [],
      },
      { kind: "agent", index: 1, thought: "", message: "Done.", calls: [], observations: [] },
    ],
    ...more,
  };
}

export function makePage(names: readonly string[], more: Partial<PageData> = {}): PageData {
  return {
    schema: "gymline.annotation-page.v1",
    page_id: "00112233aabbccdd",
    annotator: "",
    items: names.map((name) => pageItem(name)),
    ...more,
  };
}
