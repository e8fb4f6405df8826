/** All texts and numbers in the arguments of a call, one a line, in the order they stand; keys are left out. */
export function argumentText(params: Readonly<Record<string, unknown>>): string {
  const parts: string[] = [];
  const open: unknown[] = [params];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value === "string") parts.push(value);
    else if (typeof value === "number" || typeof value === "boolean") parts.push(String(value));
    else if (typeof value === "object" && value !== null) {
      const values = Object.values(value);
      for (let i = values.length - 1; i >= 0; i--) open.push(values[i]);
    }
  }
  return parts.join("\n");
}
