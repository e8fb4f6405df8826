import { z } from "zod";
import { defineTool, type EpisodeTool } from "../define-env.ts";
import type { ConversationState } from "./conversation-state.ts";

/** A tool of a conversation. */
export interface ConversationTool extends EpisodeTool<ConversationState> {
  /** The param with which the agent speaks to the user; they answer where there is a simulated one. */
  readonly says?: string;
  /** A call that went well ends the conversation: always, or where no simulated user answers. */
  readonly ends?: "always" | "unanswered";
}

/**
 * The tools that an environment of this domain has by itself. They do nothing: each names what it was asked for, and a
 * task may say what they answer (`conversation.answers`). Real functions take their place one by one or all together.
 */
export function mockTools(domain: string): readonly ConversationTool[] {
  switch (domain) {
    case "conversation":
      return [
        respond(true),
        think,
        lookUp("query_stats", { about: "Looks up figures.", found: "No figures are kept on" }),
        sendMessage,
        webSearch,
      ];
    case "engineering":
      return [
        respond(false),
        think,
        mock("read_file", { about: "Reads a file.", param: "file_path", answer: "Empty file:" }),
        mock("grep", { about: "Searches files for a pattern.", param: "pattern", answer: "No match for" }),
        mock("bash", { about: "Runs a command.", param: "command", answer: "Done:" }),
        git,
        submit("conclusion"),
      ];
    case "advisory":
      return [respond(false), think, knowledgeBase(), webSearch, submit("recommendation")];
    case "discussion":
      return [respond(true), think, knowledgeBase()];
    default:
      return [respond(false), think, submit("answer")];
  }
}

const text = z.string();

function respond(ends: boolean): ConversationTool {
  const tool = defineTool<ConversationState, z.ZodObject<{ message: z.ZodString }>>({
    name: "respond",
    description: "Says something to the user.",
    params: z.object({ message: text }),
    run: ({ message }) => message,
  });
  return { ...tool, says: "message", ...(ends ? { ends: "unanswered" as const } : {}) };
}

const think: ConversationTool = mock("think", {
  about: "Notes a thought. Nobody else sees it.",
  param: "thought",
  answer: "Noted:",
});

const webSearch = lookUp("web_search", { about: "Searches the web.", found: "Nothing found on" });

function knowledgeBase(): ConversationTool {
  return lookUp("knowledge_base", {
    about: "Looks something up in the knowledge base.",
    found: "No entry on",
  });
}

const sendMessage: ConversationTool = defineTool({
  name: "send_message",
  description: "Sends a message to somebody else than the user.",
  params: z.object({ target: text, message: text.optional() }),
  run: ({ target }) => `Sent to ${target}`,
});

const git: ConversationTool = defineTool({
  name: "git",
  description: "Runs a git subcommand.",
  params: z.object({ subcommand: text.default("status") }),
  run: ({ subcommand }) => `git ${subcommand}: nothing to report`,
});

function submit(param: "conclusion" | "recommendation" | "answer"): ConversationTool {
  const tool = defineTool({
    name: "submit",
    description: `Hands in the ${param} and ends the task.`,
    params: z.object({ [param]: text.optional() }),
    run: (params) => params[param] ?? "Submitted",
  });
  return { ...tool, says: param, ends: "always" };
}

function lookUp(name: string, { about, found }: { about: string; found: string }): ConversationTool {
  return mock(name, { about, param: "query", answer: found });
}

function mock(
  name: string,
  { about, param, answer }: { readonly about: string; readonly param: string; readonly answer: string },
): ConversationTool {
  return defineTool({
    name,
    description: about,
    params: z.object({ [param]: text }),
    run: (params) => `${answer} ${params[param]}`,
  });
}
