import { isAllTrainable, MASKED, NO_PROMPT, partsOf } from "./prompt-completion.ts";
import { originOf, type Rendering, refused, row, type Source } from "./rendering.ts";

export function ktoRow(source: Source): Rendering {
  const { prompt, completion } = partsOf(source.messages);
  const { success: label, tools } = source.sft;
  if (label === null) return refused("no outcome label");
  if (prompt.length === 0) return refused(NO_PROMPT);
  if (!isAllTrainable(completion)) return refused(MASKED);
  return row({
    prompt: prompt.map(({ message }) => message),
    completion: completion.map(({ message }) => message),
    label,
    tools,
    ...originOf(source),
  });
}
