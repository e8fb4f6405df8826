const looking =
  /^(?:\w+[._-])?(?:get|list|search|find|read|fetch|look|show|check|calculate|view|query|retrieve|describe|count)(?:[_-]|[A-Z]|$)/;

/** Whether a tool that no profile knows changes something, going by the verb in its name. */
export function changesService(tool: string): boolean {
  return !looking.test(tool);
}
