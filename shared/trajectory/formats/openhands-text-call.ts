import type { CallInput } from "../builder.ts";

const OPEN = "<function=";
const CLOSE = "</function>";
const PARAMETER = "<parameter=";
const PARAMETER_CLOSE = "</parameter>";

/**
 * Reads the function call in a reply of OpenHands' text mode, `<function=name><parameter=key>value</parameter>…
 * </function>`. Only the first counts: the framework runs no other. The closing mark may be missing, since
 * generation stops at it. Values stay texts as the model wrote them, without the line breaks at their ends.
 */
export function readTextCall(message: string): CallInput | undefined {
  const start = message.indexOf(OPEN);
  if (start < 0) return undefined;
  const nameEnd = message.indexOf(">", start);
  const name = nameEnd < 0 ? "" : message.slice(start + OPEN.length, nameEnd).trim();
  if (!/^[\w.:-]{1,128}$/.test(name)) return undefined;
  const close = message.indexOf(CLOSE, nameEnd);
  const body = message.slice(nameEnd + 1, close < 0 ? undefined : close);
  return { name, arguments: readParameters(body), from: "text" };
}

function readParameters(body: string): Record<string, string> {
  const parameters: [string, string][] = [];
  let place = 0;
  for (;;) {
    const start = body.indexOf(PARAMETER, place);
    const keyEnd = start < 0 ? -1 : body.indexOf(">", start);
    if (keyEnd < 0) return Object.fromEntries(parameters);
    const end = body.indexOf(PARAMETER_CLOSE, keyEnd);
    const value = body.slice(keyEnd + 1, end < 0 ? undefined : end);
    parameters.push([body.slice(start + PARAMETER.length, keyEnd), withoutOuterBreaks(value)]);
    if (end < 0) return Object.fromEntries(parameters);
    place = end + PARAMETER_CLOSE.length;
  }
}

function withoutOuterBreaks(value: string): string {
  const from = value.startsWith("\n") ? 1 : 0;
  const to = value.endsWith("\n") && value.length > from ? value.length - 1 : value.length;
  return value.slice(from, to);
}

/** The user message that carries a result in text mode starts with this. */
export function isTextResult(content: unknown): boolean {
  return typeof content === "string" && content.startsWith("EXECUTION RESULT of [");
}
