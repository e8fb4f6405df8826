/** Tool definitions as OpenAI and most trainers take them: `{type: "function", function: {name, …}}`. */
export function chatTools(definitions: readonly Readonly<Record<string, unknown>>[]): readonly unknown[] {
  return definitions.map((definition) => {
    if (typeof definition["function"] === "object" && definition["function"] !== null) return definition;
    const { name, description } = definition;
    const parameters = definition["parameters"] ?? definition["input_schema"];
    if (typeof name !== "string" || parameters === undefined) return definition;
    return {
      type: "function",
      function: { name, ...(description === undefined ? {} : { description }), parameters },
    };
  });
}

/** A call's arguments as a value: they are JSON text in chat messages; what is no JSON stays text. */
export function argumentsValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Reasoning and text as models that think aloud write them. */
export function withThinking(reasoning: string | undefined, content: string): string {
  return reasoning === undefined || reasoning === ""
    ? content
    : `<think>\n${reasoning}\n</think>\n\n${content}`;
}
