/** Text between pairs of lines that start with three backticks. One pass. */
export function fencedBlocks(message: string): readonly string[] {
  if (!message.includes("```")) return [];
  const blocks: string[] = [];
  let open: string[] | null = null;
  for (const line of message.split("\n")) {
    if (!line.trimStart().startsWith("```")) open?.push(line);
    else if (open === null) open = [];
    else {
      blocks.push(open.join("\n"));
      open = null;
    }
  }
  return blocks;
}
