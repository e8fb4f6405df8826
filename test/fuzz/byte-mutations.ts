import type { Random } from "./random.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Pieces that trouble readers: NUL, broken UTF-8, byte order marks, numbers out of range, deep nesting. */
const troublesome: readonly Uint8Array[] = [
  Uint8Array.of(0),
  Uint8Array.of(0, 0, 0, 0),
  Uint8Array.of(0xff, 0xfe),
  Uint8Array.of(0xef, 0xbb, 0xbf),
  Uint8Array.of(0xc3, 0x28),
  Uint8Array.of(0xed, 0xa0, 0x80),
  Uint8Array.of(0xf4, 0x90, 0x80, 0x80),
  Uint8Array.of(0x1f, 0x8b),
  Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd),
  utf8("PK\u0003\u0004"),
  utf8("1e999"),
  utf8("-1e999"),
  utf8("9".repeat(400)),
  utf8("NaN"),
  utf8("-Infinity"),
  utf8("\\ud800"),
  utf8("\\u0000"),
  utf8("\\"),
  utf8('"'),
  utf8("\r\n"),
  utf8("\u2028"),
  utf8("}{"),
  utf8("]["),
  utf8(",,"),
  utf8("[".repeat(300)),
  utf8("[".repeat(100_000)),
  utf8('{"a":'.repeat(300)),
  utf8(`${"[".repeat(150)}${"]".repeat(150)}`),
];

/** One to four changes to a file's bytes, each at a random place. */
export function mutateBytes(input: {
  readonly bytes: Uint8Array;
  /** A second file to splice with. */
  readonly other: Uint8Array;
  readonly random: Random;
}): Uint8Array {
  const { other, random } = input;
  let bytes = input.bytes;
  for (let changes = 1 + random.int(4); changes > 0; changes -= 1) bytes = changed(bytes, other, random);
  return bytes;
}

function changed(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const at = random.int(bytes.length + 1);
  const end = Math.min(bytes.length, at + 1 + random.int(random.pick([1, 4, 64, 4096])));
  switch (random.int(7)) {
    case 0:
      return flipped(bytes, at, random);
    case 1:
      return joined(bytes.subarray(0, at), bytes.subarray(end));
    case 2:
      return joined(bytes.subarray(0, end), bytes.subarray(at));
    case 3:
      return bytes.slice(0, at);
    case 4:
      return joined(bytes.subarray(0, at), other.subarray(random.int(other.length + 1)));
    case 5:
      return joined(bytes, random.pick([utf8("\n"), utf8(","), utf8("")]), other);
    default:
      return joined(bytes.subarray(0, at), random.pick(troublesome), bytes.subarray(at));
  }
}

function flipped(bytes: Uint8Array, at: number, random: Random): Uint8Array {
  const copy = bytes.slice();
  const old = copy[at];
  if (old !== undefined) copy[at] = random.chance(0.5) ? old ^ (1 << random.int(8)) : random.int(256);
  return copy;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
