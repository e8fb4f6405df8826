/** One run of removed and added lines of a patch. */
interface PatchChange {
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

const fileHeader = /^(?:\*\*\* (?:Update|Add|Delete) File: |\+\+\+ (?:b\/)?)(.{1,1000})$/;

/** Whether a text is, or holds, a patch in the unified or in the `*** Begin Patch` form. */
export function looksLikePatch(text: string): boolean {
  return text.includes("*** Begin Patch") || (text.includes("\n+++ ") && text.includes("\n@@"));
}

/** The changes of a patch, file by file. Lines outside hunks are passed over. */
export function patchChanges(text: string): readonly PatchChange[] {
  const changes: PatchChange[] = [];
  let file = "";
  let removed: string[] = [];
  let added: string[] = [];
  const flush = (): void => {
    if (file !== "" && (removed.length > 0 || added.length > 0)) {
      changes.push({ file, before: removed.join("\n"), after: added.join("\n") });
    }
    removed = [];
    added = [];
  };
  for (const line of text.split("\n")) {
    const header = fileHeader.exec(line.endsWith("\r") ? line.slice(0, -1) : line);
    if (header !== null) {
      flush();
      file = (header[1] ?? "").split("\t")[0]?.trim() ?? "";
    } else if (line.startsWith("--- ") || line.startsWith("diff --git ") || line.startsWith("*** ")) {
      flush();
      file = "";
    } else if (line.startsWith("-")) {
      // A removal after an addition starts the next change.
      if (added.length > 0) flush();
      removed.push(line.slice(1));
    } else if (line.startsWith("+")) added.push(line.slice(1));
    else flush();
  }
  flush();
  return changes;
}
