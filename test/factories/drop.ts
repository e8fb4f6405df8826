import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { createRandom, type Random } from "../fuzz/random.ts";
import { zipOf } from "../reading/zip-factory.ts";
import { atifDocument, type ChatFacts, chatLines, chatRow, crewSession } from "./logs.ts";

export interface DropSize {
  readonly seed: number;
  /** Rows in each of the JSON Lines files. */
  readonly rows: number;
}

/**
 * Writes a drop of about sixty files: three teams; JSON Lines with many rows, plain and packed; documents; event
 * logs; zips; sessions that grow from file to file; pictures; secrets; the same log several times; and bad input
 * between the good.
 */
export function writeDrop(folder: string, size: DropSize): void {
  const random = createRandom(size.seed, 0);
  for (const [path, content] of dropFiles(random, size.rows)) {
    const place = join(folder, path);
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, content);
  }
}

type File = readonly [path: string, content: string | Uint8Array];

function* dropFiles(random: Random, rows: number): Generator<File> {
  for (const team of ["blue", "green", "red"]) {
    for (let file = 0; file < 3; file += 1) {
      yield [`${team}/chats/day-${file}.jsonl`, jsonl(random, rows, `${team}-${file}`)];
    }
    yield [`${team}/packed/week.jsonl.gz`, gzipSync(jsonl(random, rows, `${team}-week`))];
    yield [
      `${team}/packed/month.jsonl.zst`,
      zstdCompressSync(Buffer.from(jsonl(random, rows, `${team}-month`))),
    ];
    yield [`${team}/packed/bundle.zip`, bundle(random, team)];
    for (let file = 0; file < 5; file += 1) {
      yield [
        `${team}/atif/run-${file}.json`,
        atifDocument({ task: `${team}-${file}`, turns: 2 + random.int(9) }),
      ];
    }
    for (let grown = 1; grown <= 3; grown += 1) {
      const calls = manyCalls(random.int(3) === 0 ? 1 : grown * 4, `${team} grows`);
      yield [
        `${team}/growing/part-${grown}.json`,
        chatRow({ task: `${team}-growing`, session: `${team}-s`, calls, answer: "" }),
      ];
    }
    yield [`${team}/crew/${team}-session.jsonl`, crewSession({ goal: `Watch ${team}.`, notes: 12 })];
    yield [`${team}/lines/turns.jsonl`, chatLines({ prompt: `${team} asks`, calls: manyCalls(6, team) })];
  }
  yield* copies();
  yield* badFiles();
}

/** The same logs under other names and in other projects. */
function* copies(): Generator<File> {
  const shared = atifDocument({ task: "everybody's", turns: 5 });
  yield ["blue/copies/one.json", shared];
  yield ["green/copies/two.json", shared];
  yield ["root.json", shared];
  yield ["red/copies/three.json.gz", gzipSync(shared)];
}

function* badFiles(): Generator<File> {
  const good = chatRow({ task: "beside-bad" });
  yield ["blue/bad/empty.json", ""];
  yield ["blue/bad/cut.json", atifDocument({ task: "cut" }).slice(0, 300)];
  yield ["green/bad/lines.jsonl", `${good}\n{"messages": [\n${chatRow({ task: "after-bad" })}\n`];
  yield ["green/bad/settings.json", '{"theme": "dark"}'];
  yield ["red/bad/core.bin", new Uint8Array(400).map((_, index) => (index * 37) % 251)];
  yield ["red/bad/latin1.json", Buffer.from(`{"messages": "caf\u00e9"}`, "latin1")];
  yield ["red/bad/broken.zip", Buffer.from("PK\x03\x04 and then nothing that a zip would hold")];
}

function bundle(random: Random, team: string): Uint8Array {
  const entries = Array.from({ length: 6 }, (_, entry) => ({
    name: `inside/${entry}.json`,
    data: chatRow(facts(random, `${team}-zip-${entry}`)),
  }));
  return zipOf([
    ...entries,
    { name: "inside/bad.json", data: "{" },
    { name: "../slip.json", data: chatRow() },
  ]);
}

function jsonl(random: Random, rows: number, name: string): string {
  return Array.from({ length: rows }, (_, row) => `${chatRow(facts(random, `${name}-${row % 40}`))}\n`).join(
    "",
  );
}

function facts(random: Random, task: string): ChatFacts {
  const picture = random.chance(0.1) ? { image: new Uint8Array(64 + random.int(5)).fill(random.int(4)) } : {};
  return {
    task,
    success: random.chance(0.7),
    prompt: `Task ${task}, number ${random.int(1e9)}.`,
    calls: manyCalls(1 + random.int(12), `${task} ${random.int(1e6)}`),
    ...(random.chance(0.2) ? { session: `s-${task}` } : {}),
    ...picture,
  };
}

function manyCalls(count: number, name: string): NonNullable<ChatFacts["calls"]> {
  return Array.from({ length: count }, (_, call) => [
    `cat ${name.replaceAll(" ", "-")}/${call}.txt`,
    `line ${call} of ${name}\n${"some more text of the file. ".repeat(call % 7)}\napi_key=sk-${"a1B2".repeat(8)}`,
  ]);
}
