import { isAllTrainable, MASKED, NO_PROMPT, partsOf } from "./prompt-completion.ts";
import { originOf, type Rendering, refused, row, type Source } from "./rendering.ts";
import { haveObjects, NO_OBJECT, templateMessage } from "./template-messages.ts";

export function ktoRow(source: Source): Rendering {
  const { prompt, completion } = partsOf(source.turns);
  const { success: label, tools } = source.sft;
  if (label === null) return refused("no outcome label");
  if (prompt.length === 0) return refused(NO_PROMPT);
  if (!isAllTrainable(completion)) return refused(MASKED);
  if (!haveObjects(source.turns)) return refused(NO_OBJECT);
  return row({
    prompt: prompt.map(({ message }) => templateMessage(message)),
    completion: completion.map(({ message }) => templateMessage(message)),
    label,
    tools,
    ...originOf(source),
  });
}
