import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidKeyError } from "../../shared/ports/object-key.ts";
import { ObjectNotFoundError, type ObjectStore } from "../../shared/ports/object-store.ts";

export interface StoreUnderTest {
  readonly store: ObjectStore;
  /** A second client of the same objects. */
  readonly other: ObjectStore;
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
async function streamed(store: ObjectStore, name: string): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of store.stream(name)) pieces.push(piece);
  return Buffer.concat(pieces);
}
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

async function keysOf(store: ObjectStore, prefix: string): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
}

/** Keys that no other key of the set has as a folder, since a file system cannot hold both. */
const key = fc
  .tuple(
    fc.array(fc.constantFrom("a", "ab", "a-b", "b", "folder", "ä", "\u{1F600}", "\uFF5E"), { maxLength: 3 }),
    fc.constantFrom("1", "2.json", "10", "a.gz", "é", "\u{1F600}", "\uFF5E", "%41", "with space"),
  )
  .map(([folders, name]) => [...folders.map((folder) => `${folder}.d`), `f${name}`].join("/"));

const invalidKeys: readonly (readonly [what: string, key: string])[] = [
  ["an empty key", ""],
  ["an absolute path", "/etc/passwd"],
  ["a step up", "../outside"],
  ["a step up in the middle", "a/../../outside"],
  ["a step up at the end", "a/.."],
  ["a dot segment", "a/./b"],
  ["an empty segment", "a//b"],
  ["a trailing slash", "a/"],
  ["a NUL", "a/b\0c"],
  ["a backslash", "a\\..\\b"],
  ["a lone surrogate", "a/\uD800"],
  ["a segment that no file system holds", `a/${"é".repeat(128)}`],
  ["more than S3 takes", `${"abcdefghi/".repeat(103)}x`],
];

/** What every object store must do. Each test gets an empty store. */
export function objectStoreContract(name: string, start: () => Promise<StoreUnderTest>): void {
  describe(`${name} as an object store`, () => {
    it("gives back what was put, byte for byte, and to other clients too", async () => {
      const { store, other } = await start();
      await fc.assert(
        fc.asyncProperty(key, fc.uint8Array({ maxLength: 5000 }), async (name, bytes) => {
          await store.put(name, bytes);
          expect(Buffer.from(await store.read(name)).equals(bytes)).toBe(true);
          expect(Buffer.from(await other.read(name)).equals(bytes)).toBe(true);
          expect(Buffer.from(await streamed(other, name)).equals(bytes)).toBe(true);
          expect(await store.exists(name)).toBe(true);
        }),
        { numRuns: 40 },
      );
    });

    it("replaces an object as a whole, also by a shorter one", async () => {
      const { store } = await start();
      await store.put("a/x", bytesOf("a long text"));
      await store.put("a/x", bytesOf("short"));
      expect(textOf(await store.read("a/x"))).toBe("short");
      await store.put("a/x", bytesOf(""));
      expect(await store.read("a/x")).toHaveLength(0);
    });

    it("names the key of an object that is not there", async () => {
      const { store } = await start();
      await store.put("a/b/x", bytesOf("1"));
      for (const missing of ["a/b/y", "z", "a/b/x/below", "a/b"]) {
        const error = await store.read(missing).catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(ObjectNotFoundError);
        expect(error).toMatchObject({ key: missing });
        await expect(streamed(store, missing)).rejects.toBeInstanceOf(ObjectNotFoundError);
        expect(await store.exists(missing)).toBe(false);
      }
    });

    it("writes with putIfAbsent only where nothing stands", async () => {
      const { store, other } = await start();
      expect(await store.putIfAbsent("a/x", bytesOf("first"))).toBe("created");
      expect(await store.putIfAbsent("a/x", bytesOf("second"))).toBe("exists");
      expect(await other.putIfAbsent("a/x", bytesOf("third"))).toBe("exists");
      expect(textOf(await store.read("a/x"))).toBe("first");
      await store.remove("a/x");
      expect(await other.putIfAbsent("a/x", bytesOf("fourth"))).toBe("created");
      expect(textOf(await store.read("a/x"))).toBe("fourth");
    });

    it("lets one of many racing writers win, whose bytes stay", async () => {
      const { store, other } = await start();
      for (let round = 0; round < 10; round += 1) {
        const outcomes = await Promise.all(
          Array.from({ length: 8 }, (_, index) =>
            (index % 2 === 0 ? store : other).putIfAbsent(`race/${round}`, bytesOf(`writer ${index}`)),
          ),
        );
        const winners = outcomes.flatMap((outcome, index) => (outcome === "created" ? [index] : []));
        expect(winners).toHaveLength(1);
        expect(textOf(await store.read(`race/${round}`))).toBe(`writer ${winners[0]}`);
      }
    });

    it("never shows a mixture of two versions to a reader", async () => {
      const { store, other } = await start();
      const versions = ["a", "b", "c"].map((letter) => bytesOf(letter.repeat(300_000)));
      await store.put("x/y", versions[0] ?? bytesOf(""));
      const reads: Promise<Uint8Array>[] = [];
      await Promise.all(
        Array.from({ length: 30 }, async (_, index) => {
          await store.put("x/y", versions[index % 3] ?? bytesOf(""));
          reads.push(other.read("x/y"));
        }),
      );
      for (const bytes of await Promise.all(reads)) {
        expect(versions.some((version) => Buffer.from(version).equals(bytes))).toBe(true);
      }
    });

    it("lists what starts with a prefix, in the order of the keys' bytes, with sizes", async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(key, { maxLength: 12 }),
          fc.uniqueArray(key, { maxLength: 3 }),
          fc.nat(),
          async (keys, removed, cut) => {
            const { store } = await start();
            for (const name of keys) await store.put(name, bytesOf(name));
            for (const name of removed) await store.remove(name);
            const left = keys
              .filter((name) => !removed.includes(name))
              .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
            const points = [...(left[0] ?? "f")];
            const prefixes = [
              "",
              points.slice(0, cut % (points.length + 1)).join(""),
              "a",
              "a.d/",
              "nothing/",
            ];
            for (const prefix of prefixes) {
              const listed: { readonly key: string; readonly size: number }[] = [];
              for await (const item of store.list(prefix)) listed.push(item);
              const expected = left.filter((name) => name.startsWith(prefix));
              expect(listed).toEqual(expected.map((name) => ({ key: name, size: Buffer.byteLength(name) })));
            }
          },
        ),
        { numRuns: 30 },
      );
    });

    it("takes a prefix for the start of a key, not for a folder", async () => {
      const { store } = await start();
      for (const name of ["t/ab/1", "t/ab/2", "t/abc/1", "t/abc.json"]) await store.put(name, bytesOf("x"));
      expect(await keysOf(store, "t/ab")).toEqual(["t/ab/1", "t/ab/2", "t/abc.json", "t/abc/1"]);
      expect(await keysOf(store, "t/ab/")).toEqual(["t/ab/1", "t/ab/2"]);
      expect(await keysOf(store, "t/ab/1")).toEqual(["t/ab/1"]);
      expect(await keysOf(store, "t/ab/1/")).toEqual([]);
      expect(await keysOf(store, "t/abd")).toEqual([]);
    });

    it("removes an object, and does not mind if there is none", async () => {
      const { store } = await start();
      await store.put("a/x", bytesOf("1"));
      await store.put("a/y", bytesOf("2"));
      await store.remove("a/x");
      await store.remove("a/x");
      await store.remove("never/was");
      expect(await store.exists("a/x")).toBe(false);
      expect(await keysOf(store, "")).toEqual(["a/y"]);
    });

    it("erases an object and nothing else, and does not mind if there is none", async () => {
      const { store, other } = await start();
      for (const name of ["a/x", "a/x1", "a/y"]) await store.put(name, bytesOf("old"));
      await store.put("a/x", bytesOf("new"));
      await other.erase("a/x");
      await store.erase("a/x");
      await store.erase("never/was");
      await store.remove("a/y");
      await store.erase("a/y");
      expect(await store.exists("a/x")).toBe(false);
      expect(await keysOf(store, "")).toEqual(["a/x1"]);
      expect(await store.putIfAbsent("a/x", bytesOf("again"))).toBe("created");
      expect(textOf(await other.read("a/x"))).toBe("again");
    });

    it("shows what a writer writes only once it is finished", async () => {
      const { store, other } = await start();
      await store.put("d/x", bytesOf("old"));
      const writer = await store.writer("d/x");
      const fresh = await store.writer("d/new");
      const pieces = Array.from({ length: 40 }, (_, index) => bytesOf(`${index},`.repeat(20_000)));
      for (const piece of pieces) await writer.write(piece);
      await fresh.write(bytesOf("new"));
      expect(textOf(await other.read("d/x"))).toBe("old");
      expect(await keysOf(store, "")).toEqual(["d/x"]);
      await writer.finish();
      await fresh.finish();
      expect(Buffer.from(await other.read("d/x")).equals(Buffer.concat(pieces))).toBe(true);
      expect(Buffer.from(await streamed(other, "d/x")).equals(Buffer.concat(pieces))).toBe(true);
      expect(await keysOf(other, "")).toEqual(["d/new", "d/x"]);
    });

    it("writes an empty object when a writer is finished without a write", async () => {
      const { store } = await start();
      await (await store.writer("d/empty")).finish();
      expect(await store.read("d/empty")).toHaveLength(0);
    });

    it("leaves nothing behind when a writer is aborted, nor undoes what it finished", async () => {
      const { store } = await start();
      const writer = await store.writer("d/x");
      await writer.write(bytesOf("half"));
      await writer.abort();
      expect(await store.exists("d/x")).toBe(false);
      expect(await keysOf(store, "")).toEqual([]);
      const done = await store.writer("d/y");
      await done.write(bytesOf("whole"));
      await done.finish();
      await done.abort();
      expect(textOf(await store.read("d/y"))).toBe("whole");
    });

    it("keeps two writers of one key apart: the last to finish stands", async () => {
      const { store, other } = await start();
      const [one, two] = [await store.writer("d/x"), await other.writer("d/x")];
      for (let piece = 0; piece < 5; piece += 1) {
        await one.write(bytesOf("1"));
        await two.write(bytesOf("2"));
      }
      await two.finish();
      expect(textOf(await store.read("d/x"))).toBe("22222");
      await one.finish();
      expect(textOf(await store.read("d/x"))).toBe("11111");
    });

    it.each(invalidKeys)("refuses %s as a key, whatever is to be done with it", async (_, invalid) => {
      const { store } = await start();
      const bytes = bytesOf("x");
      const calls = [
        () => store.read(invalid),
        () => streamed(store, invalid),
        () => store.put(invalid, bytes),
        () => store.putIfAbsent(invalid, bytes),
        () => store.writer(invalid),
        () => store.exists(invalid),
        () => store.remove(invalid),
        () => store.erase(invalid),
      ];
      for (const call of calls) await expect(call()).rejects.toBeInstanceOf(InvalidKeyError);
      expect(await keysOf(store, "")).toEqual([]);
    });
  });
}
