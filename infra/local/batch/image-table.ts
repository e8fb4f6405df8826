/**
 * Looks an image up in a table whose keys are images or names of job definitions, either of which may hold
 * asterisks for any text. The longest key that fits wins, since it says most.
 */
export function lookUpImage<T>(
  table: Readonly<Record<string, T>>,
  { image, definitionName }: { readonly image: string; readonly definitionName: string },
): T | undefined {
  const [best] = Object.entries(table)
    .filter(([key]) => fits(key, image) || fits(key, definitionName))
    .toSorted(([left], [right]) => right.length - left.length);
  return best?.[1];
}

function fits(glob: string, text: string): boolean {
  const parts = glob.split("*").map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "s").test(text);
}
