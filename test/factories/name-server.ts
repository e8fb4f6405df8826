import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { isIPv4 } from "node:net";

const A = 1;
const AAAA = 28;

/** A name server that says what a test wants it to, and notes what it was asked. */
export class NameServer {
  readonly asked: string[] = [];
  readonly #names: Readonly<Record<string, readonly string[]>>;
  readonly #socket: Socket = createSocket("udp4");

  /** `names`: addresses of each, IPv4 or IPv6; others there are not. */
  constructor(names: Readonly<Record<string, readonly string[]>>) {
    this.#names = names;
  }

  async listen(address: string): Promise<void> {
    this.#socket.on("message", (query, from) => {
      this.#socket.send(this.#answer(query), from.port, from.address);
    });
    this.#socket.bind(53, address);
    await once(this.#socket, "listening");
  }

  close(): void {
    this.#socket.close();
  }

  #answer(query: Buffer): Buffer {
    let at = 12;
    const labels: string[] = [];
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      labels.push(query.toString("latin1", at + 1, at + 1 + length));
      at += length + 1;
    }
    const end = at + 5;
    const kind = query.readUInt16BE(at + 1);
    const name = labels.join(".").toLowerCase();
    this.asked.push(name);
    const addresses = this.#names[name];
    const fitting = (addresses ?? []).filter((each) => (isIPv4(each) ? kind === A : kind === AAAA));
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(addresses === undefined ? 0x8183 : 0x8180, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(fitting.length, 6);
    const records = fitting.map((address) => {
      const data = addressBytes(address);
      const fixed = Buffer.alloc(12);
      // The name is that of the question; it may be kept for no second.
      fixed.writeUInt16BE(0xc00c, 0);
      fixed.writeUInt16BE(kind, 2);
      fixed.writeUInt16BE(1, 4);
      fixed.writeUInt16BE(data.length, 10);
      return Buffer.concat([fixed, data]);
    });
    return Buffer.concat([header, query.subarray(12, end), ...records]);
  }
}

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split(".").map(Number));
  const [head = "", tail = ""] = address.split("::");
  const groups = (text: string): readonly number[] =>
    text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
  const [first, last] = [groups(head), groups(tail)];
  const all = [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last];
  const bytes = Buffer.alloc(16);
  for (const [index, group] of all.entries()) bytes.writeUInt16BE(group, index * 2);
  return bytes;
}
