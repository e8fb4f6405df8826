import { isAllTrainable, MASKED } from "./prompt-completion.ts";
import { originOf, type Rendering, refused, row, type Source } from "./rendering.ts";
import { haveObjects, NO_OBJECT } from "./template-messages.ts";
import { toolsText } from "./tools-text.ts";

/** prime-rl parses arguments itself and stops at text that is no JSON; it learns every assistant message. */
export function primeRlRow(source: Source): Rendering {
  const { turns } = source;
  if (!isAllTrainable(turns)) return refused(MASKED);
  if (!haveObjects(turns)) return refused(NO_OBJECT);
  return row({
    messages: turns.map(({ message }) => message),
    tools: toolsText(source.trajectory),
    ...originOf(source),
  });
}
