import type { JsonObject, ToolDefinition } from "../../env/protocol.ts";
import {
  type CallParser,
  isObject,
  jsonValue,
  type ParsedCall,
  type Piece,
  unreadable,
} from "./parsed-call.ts";

/** From the name to the end of the function, with the `<tool_call>` around it where it is there. */
const CALL =
  /(?:<tool_call>\s*)?<function=([^>\n]*)>([\s\S]*?)(?:<\/function>(?:\s*<\/tool_call>)?|(?=<tool_call>|<function=)|$)/g;
const PARAMETER = /<parameter=([^>\n]*)>\n?([\s\S]*?)(?:\n?<\/parameter>|\n?(?=<parameter=)|$)/g;

/**
 * `<tool_call><function=name><parameter=key>value</parameter></function></tool_call>`, as Qwen3-Coder writes it. A value
 * is text where the tool says so, else JSON. `<function=name>{…}</function>` of Llama 3.1 is read as well.
 */
export const qwenXmlCalls: CallParser = (text, { tools, cut }) => {
  const pieces: Piece[] = [];
  let at = 0;
  const say = (to: number): void => {
    const source = text.slice(at, to);
    if (source === "") return;
    // A call without a function.
    const open = source.indexOf("<tool_call>");
    if (open < 0) pieces.push({ kind: "text", source });
    else {
      if (open > 0) pieces.push({ kind: "text", source: source.slice(0, open) });
      const raw = source.slice(open).replace(/^<tool_call>|<\/tool_call>\s*$/g, "");
      pieces.push({ kind: "calls", source: source.slice(open), calls: [unreadable(raw.trim())] });
    }
  };
  for (const { index, 0: source, 1: name = "", 2: body = "" } of text.matchAll(CALL)) {
    say(index);
    at = index + source.length;
    const open = cut && at === text.length && !/<\/(?:function|tool_call)>$/.test(source);
    const call = open
      ? unreadable(body.trim(), name.trim() || undefined)
      : callOf(name.trim(), { body, tools });
    pieces.push({ kind: "calls", source, calls: [call] });
  }
  say(text.length);
  return pieces;
};

function callOf(
  name: string,
  { body, tools }: { readonly body: string; readonly tools: readonly ToolDefinition[] },
): ParsedCall {
  if (name === "") return unreadable(body.trim(), undefined);
  const whole = jsonValue(body);
  if (isObject(whole)) return { tool: name, params: whole };
  const rest = body.replace(PARAMETER, "");
  if (rest.trim() !== "") return unreadable(body.trim(), name);
  const schemas = propertiesOf(tools.find((tool) => tool.name === name));
  const params = [...body.matchAll(PARAMETER)].map(
    ([, key = "", value = ""]) => [key.trim(), parameterValue(value, schemas[key.trim()])] as const,
  );
  return { tool: name, params: Object.fromEntries(params) };
}

function propertiesOf(tool: ToolDefinition | undefined): JsonObject {
  const properties = tool?.parameters["properties"];
  return isObject(properties) ? properties : {};
}

function parameterValue(text: string, schema: unknown): unknown {
  const type = isObject(schema) ? schema["type"] : undefined;
  if (type === "string") return text;
  return jsonValue(text) ?? text;
}
