import type { ParseContext, ParsedCall, Piece } from "./tool-calls/parsed-call.ts";
import { callParser, type ToolSyntax } from "./tool-calls/syntax.ts";

/** What a model said, thought and called. */
export interface ReadAnswer {
  readonly text: string;
  readonly reasoning?: string;
  readonly calls: readonly ParsedCall[];
}

export interface AnswerContext extends ParseContext {
  readonly syntax: ToolSyntax;
  /** The prompt ends in `<think>`: the answer begins with thinking. */
  readonly thinking: boolean;
}

/** Reads an answer without its stop token. Never throws; what it does not understand is text, or a call's raw arguments. */
export function readAnswer(answer: string, context: AnswerContext): ReadAnswer {
  const pieces = answerPieces(answer, context);
  const join = (texts: readonly string[]): string => texts.join("").trim();
  const text = join(pieces.flatMap((piece) => (piece.kind === "text" ? [piece.source] : [])));
  const reasoning = join(pieces.flatMap((piece) => (piece.kind === "thought" ? [piece.text] : [])));
  const calls = pieces.flatMap((piece) => (piece.kind === "calls" ? piece.calls : []));
  return { text, ...(reasoning === "" ? {} : { reasoning }), calls };
}

/** The pieces of an answer; their sources, one after the other, are the answer. */
export function answerPieces(answer: string, context: AnswerContext): readonly Piece[] {
  const { thought, rest } = thoughtOf(answer, context.thinking);
  return [...thought, ...callParser(context.syntax)(rest, context)];
}

const OPEN = "<think>";
const CLOSE = "</think>";

/** Thinking stands before all else; one that does not end is thinking to the end. */
function thoughtOf(
  answer: string,
  thinking: boolean,
): { readonly thought: readonly Piece[]; readonly rest: string } {
  const begins = /^\s*<think>/.exec(answer)?.[0];
  if (begins === undefined && !thinking) return { thought: [], rest: answer };
  const start = begins?.length ?? 0;
  const close = answer.indexOf(CLOSE, start);
  const end = close < 0 ? answer.length : close + CLOSE.length;
  const text = answer.slice(start, close < 0 ? answer.length : close).trim();
  return { thought: [{ kind: "thought", source: answer.slice(0, end), text }], rest: answer.slice(end) };
}

/** Whether what follows a prompt is thinking. */
export function endsInThinking(prompt: string): boolean {
  return prompt.trimEnd().endsWith(OPEN);
}
