import { createHash } from "node:crypto";

/**
 * The server's side of Xet uploads: chunks come in xorbs, a shard says of which chunks each file is made. The formats are
 * those of https://huggingface.co/docs/xet (xorb, shard), as far as uploads without deduplication need them.
 */
export class XetStorage {
  readonly #xorbs = new Map<string, readonly Buffer[]>();

  addXorb(hash: string, bytes: Buffer): void {
    const chunks: Buffer[] = [];
    for (let at = 0; at + 8 <= bytes.length; ) {
      const length = bytes.readUIntLE(at + 1, 3);
      const scheme = bytes.readUInt8(at + 4);
      const size = bytes.readUIntLE(at + 5, 3);
      const body = bytes.subarray(at + 8, at + 8 + length);
      chunks.push(scheme === 0 ? body : scheme === 1 ? lz4(body, size) : ungrouped(lz4(body, size)));
      at += 8 + length;
    }
    this.#xorbs.set(hash, chunks);
  }

  /** The files of a shard, by their SHA-256. */
  filesOf(shard: Buffer): ReadonlyMap<string, Buffer> {
    const files = new Map<string, Buffer>();
    let at = 48;
    while (!shard.subarray(at, at + 32).every((byte) => byte === 0xff)) {
      const flags = shard.readUInt32LE(at + 32);
      const count = shard.readUInt32LE(at + 36);
      at += 48;
      const parts: Buffer[] = [];
      for (let term = 0; term < count; term += 1, at += 48) {
        const chunks = this.#xorbs.get(hashAt(shard, at));
        if (chunks === undefined) throw new Error("a shard names a xorb that did not come");
        parts.push(...chunks.slice(shard.readUInt32LE(at + 40), shard.readUInt32LE(at + 44)));
      }
      if ((flags & 0x80000000) !== 0) at += count * 48;
      const content = Buffer.concat(parts);
      if ((flags & 0x40000000) !== 0) {
        const said = hashAt(shard, at);
        const sha256 = createHash("sha256").update(content).digest("hex");
        if (said !== sha256) throw new Error("a file of a shard has not the SHA-256 that it says");
        files.set(sha256, content);
        at += 48;
      }
    }
    return files;
  }
}

/** Hashes are four little-endian 64-bit numbers. */
function hashAt(bytes: Buffer, at: number): string {
  return [0, 8, 16, 24]
    .map((offset) =>
      bytes
        .readBigUInt64LE(at + offset)
        .toString(16)
        .padStart(16, "0"),
    )
    .join("");
}

/** Every fourth byte was put together: the first of each four, then the second ones, … */
function ungrouped(bytes: Buffer): Buffer {
  const plain = Buffer.alloc(bytes.length);
  let from = 0;
  for (let lane = 0; lane < 4; lane += 1) {
    for (let to = lane; to < bytes.length; to += 4) plain[to] = bytes[from++] ?? 0;
  }
  return plain;
}

/** An LZ4 frame (github.com/lz4/lz4, doc/lz4_Frame_format.md and lz4_Block_format.md). */
function lz4(frame: Buffer, size: number): Buffer {
  const flags = frame.readUInt8(4);
  let at = 7 + ((flags & 8) !== 0 ? 8 : 0);
  const plain = Buffer.alloc(size);
  let to = 0;
  for (let header = frame.readUInt32LE(at); header !== 0; header = frame.readUInt32LE(at)) {
    at += 4;
    const length = header & 0x7fffffff;
    const block = frame.subarray(at, at + length);
    if (header >>> 31 === 1) to += block.copy(plain, to);
    else to = inflate(block, { plain, to });
    at += length + ((flags & 16) !== 0 ? 4 : 0);
  }
  if (to !== size) throw new Error("a chunk is not as long as it says");
  return plain;
}

function inflate(
  block: Buffer,
  { plain, to: start }: { readonly plain: Buffer; readonly to: number },
): number {
  let to = start;
  let at = 0;
  const more = (length: number): number => {
    let sum = length;
    if (length !== 15) return sum;
    for (let byte = 255; byte === 255; sum += byte) byte = block[at++] ?? 0;
    return sum;
  };
  while (at < block.length) {
    const token = block[at++] ?? 0;
    const literals = more(token >> 4);
    to += block.copy(plain, to, at, at + literals);
    at += literals;
    if (at >= block.length) break;
    const offset = block.readUInt16LE(at);
    at += 2;
    for (let left = more(token & 15) + 4; left > 0; left -= 1, to += 1) plain[to] = plain[to - offset] ?? 0;
  }
  return to;
}
