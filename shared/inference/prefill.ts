import type { CausalModel, KeyValues } from "../ports/causal-model.ts";
import { joined, rowOf } from "./key-values.ts";

/** A sequence, and what of its beginning was read before; at least its last token was not. */
interface Beginning {
  readonly ids: readonly number[];
  readonly past: KeyValues;
}

interface ReadSequence {
  /** Of the token that comes next. */
  readonly logits: Float32Array;
  /** One row, a column for each token. */
  readonly past: KeyValues;
}

/** Logits of one pass, in numbers: 256 MiB. A long prompt with a large vocabulary would take gigabytes at once. */
const MOST_LOGITS = 64 * 1024 * 1024;

/** Reads sequences up to their last token, those of like length together. Results are in the order of what was given. */
export async function prefill(
  model: CausalModel,
  beginnings: readonly Beginning[],
): Promise<readonly ReadSequence[]> {
  const results: ReadSequence[] = [];
  for (const group of alike(beginnings)) {
    const read = await readTogether(
      model,
      group.map(({ beginning }) => beginning),
    );
    for (const [index, { at }] of group.entries()) {
      const one = read[index];
      if (one !== undefined) results[at] = one;
    }
  }
  return results;
}

/** Groups in which no sequence has more than twice the new tokens of another, since all take the longest one's time. */
function alike(
  beginnings: readonly Beginning[],
): readonly (readonly { readonly beginning: Beginning; readonly at: number }[])[] {
  const sorted = beginnings
    .map((beginning, at) => ({ beginning, at }))
    .toSorted((a, b) => unread(a.beginning) - unread(b.beginning));
  const groups: { readonly beginning: Beginning; readonly at: number }[][] = [];
  for (const each of sorted) {
    const group = groups.at(-1);
    const shortest = group?.[0];
    if (shortest !== undefined && unread(each.beginning) <= 2 * unread(shortest.beginning)) group?.push(each);
    else groups.push([each]);
  }
  return groups;
}

function unread({ ids, past }: Beginning): number {
  return ids.length - past.columns;
}

/**
 * What was read before is filled up on the left, new tokens on the right: so every place, filler too, sees at least one
 * real token, and no softmax is over nothing, which some exports answer with NaN.
 */
async function readTogether(
  model: CausalModel,
  group: readonly Beginning[],
): Promise<readonly ReadSequence[]> {
  const { shape, vocabulary } = model;
  const rows = group.length;
  const before = Math.max(...group.map(({ past }) => past.columns));
  const length = Math.max(...group.map(unread));
  const most = Math.max(1, Math.floor(MOST_LOGITS / (vocabulary * rows)));
  const lastLogits: Float32Array[] = [];
  let past = joined(
    group.map((each) => each.past),
    shape,
  );
  for (let from = 0; from < length; from += most) {
    const to = Math.min(length, from + most);
    const { logits, present } = await model.forward({
      rows,
      length: to - from,
      ...columnsOf(group, { from, to, before }),
      past,
    });
    past = present;
    for (const [index, each] of group.entries()) {
      const last = unread(each) - 1;
      if (last < from || last >= to) continue;
      const start = (index * (to - from) + last - from) * vocabulary;
      lastLogits[index] = logits.slice(start, start + vocabulary);
    }
  }
  return group.map((each, row) => {
    const end = before + unread(each);
    return {
      logits: lastLogits[row] ?? new Float32Array(0),
      past: rowOf(past, { shape, row, from: before - each.past.columns, to: end }),
    };
  });
}

function columnsOf(
  group: readonly Beginning[],
  { from, to, before }: { readonly from: number; readonly to: number; readonly before: number },
): { readonly ids: Int32Array; readonly positions: Int32Array; readonly mask: Uint8Array } {
  const length = to - from;
  const width = before + to;
  const ids = new Int32Array(group.length * length);
  const positions = new Int32Array(group.length * length);
  const mask = new Uint8Array(group.length * width);
  for (const [row, each] of group.entries()) {
    const known = each.past.columns;
    for (let at = from; at < Math.min(to, unread(each)); at += 1) {
      ids[row * length + at - from] = each.ids[known + at] ?? 0;
      positions[row * length + at - from] = known + at;
    }
    mask.fill(1, row * width + before - known, row * width + before + Math.min(to, unread(each)));
  }
  return { ids, positions, mask };
}
