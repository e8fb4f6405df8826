export interface WindowLimits {
  readonly maxSteps: number;
  readonly maxCharacters: number;
}

/**
 * Packs items into as few windows as there can be, in order: each holds at most `maxSteps` of them and `maxCharacters`
 * of text, but at least one. The numbers of items are evened out as far as no further window is needed, so that no
 * call is left with one step out of context.
 * @param sizes characters of each item
 * @returns the items of each window, by their position in `sizes`
 */
export function packWindows(sizes: readonly number[], limits: WindowLimits): readonly (readonly number[])[] {
  const windows = greedy(sizes, limits);
  let fewest = Math.ceil(sizes.length / Math.max(1, windows.length));
  let most = limits.maxSteps;
  while (fewest < most) {
    const middle = Math.floor((fewest + most) / 2);
    if (greedy(sizes, { ...limits, maxSteps: middle }).length <= windows.length) most = middle;
    else fewest = middle + 1;
  }
  return greedy(sizes, { ...limits, maxSteps: most });
}

function greedy(sizes: readonly number[], limits: WindowLimits): readonly (readonly number[])[] {
  const windows: number[][] = [];
  let current: number[] = [];
  let characters = 0;
  for (const [position, size] of sizes.entries()) {
    if (
      current.length > 0 &&
      (current.length >= limits.maxSteps || characters + size > limits.maxCharacters)
    ) {
      windows.push(current);
      current = [];
      characters = 0;
    }
    current.push(position);
    characters += size;
  }
  if (current.length > 0) windows.push(current);
  return windows;
}
