import { existsSync, writeFileSync } from "node:fs";
import { ConversionError, type Format } from "../../shared/trajectory/format.ts";
import { openaiMessages } from "../../shared/trajectory/formats/openai-messages.ts";
import { registerFormat } from "../../shared/trajectory/registry.ts";

/**
 * A plugin for tests: a chat row whose field `deadly` says how the thread that converts it comes to its end. With
 * `mark`, the path of a file, it does so the first time only.
 */
export const deadly: Format = {
  name: "deadly",
  description: "chat rows that end the thread which reads them",
  version: "1",
  detect: (value) =>
    isDeadly(value) ? { match: true, variant: "x" } : { match: false, near: 0, missing: [] },
  convert: (input) => {
    const value = input.value;
    if (!isDeadly(value)) throw new TypeError("not deadly");
    if (typeof value.mark !== "string" || !existsSync(value.mark)) {
      if (typeof value.mark === "string") writeFileSync(value.mark, "");
      die(value.deadly);
    }
    return openaiMessages.convert({ ...input, variant: "chat row" });
  },
};

function die(how: unknown): void {
  if (how === "exit") process.exit(7);
  if (how === "throw later") {
    queueMicrotask(() => {
      throw new Error("thrown outside of the task");
    });
  }
  if (how === "throw") throw new Error("thrown with secret content");
  if (how === "refuse") {
    throw new ConversionError({ code: "refused", jsonPath: "$", reason: "no", remedy: "none" });
  }
}

function isDeadly(value: unknown): value is { readonly deadly: unknown; readonly mark?: unknown } {
  return typeof value === "object" && value !== null && Object.hasOwn(value, "deadly");
}

registerFormat(deadly);
