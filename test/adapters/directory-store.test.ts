import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DirectoryStore } from "../../shared/adapters/local/directory-store.ts";
import { InvalidKeyError } from "../../shared/ports/object-key.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { objectStoreContract } from "../ports/object-store.contract.ts";

objectStoreContract("DirectoryStore", async () => {
  const root = temporaryFolder("store");
  return { store: new DirectoryStore(root), other: new DirectoryStore(root) };
});

const module = new URL("../../shared/adapters/local/directory-store.ts", import.meta.url).href;

/** Puts two large versions in turn until it is killed. */
const WRITER = `
  const { DirectoryStore } = await import(${JSON.stringify(module)});
  const store = new DirectoryStore(process.argv[1]);
  const versions = ["a", "b"].map((letter) => Buffer.from(letter.repeat(400_000)));
  for (let turn = 0; ; turn += 1) {
    await store.put("x/put", versions[turn % 2]);
    await store.putIfAbsent("x/once-" + turn, versions[turn % 2]);
    const writer = await store.writer("x/written");
    await writer.write(versions[turn % 2].subarray(0, 200_000));
    await writer.write(versions[turn % 2].subarray(200_000));
    await writer.finish();
    if (turn > 0) await store.remove("x/once-" + (turn - 1));
    if (turn === 1) process.stdout.write("under way");
  }
`;

describe("DirectoryStore", () => {
  it("shows whole objects only, while another process writes and when it is killed", async () => {
    const root = temporaryFolder("store");
    const child = spawn(process.execPath, ["--input-type=module", "-e", WRITER, root], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(child, "exit");
    await once(child.stdout, "data");
    const reader = new DirectoryStore(root);
    const seen = new Set<string>();
    const check = async (key: string): Promise<void> => {
      const text = Buffer.from(await reader.read(key)).toString("latin1");
      expect(text).toHaveLength(400_000);
      const letter = text.charAt(0);
      expect(text === letter.repeat(400_000)).toBe(true);
      seen.add(letter);
    };
    for (let round = 0; round < 100 || seen.size < 2; round += 1) {
      await check("x/put");
      await check("x/written");
    }
    child.kill("SIGKILL");
    await ended;
    for await (const { key } of reader.list("")) await check(key);
    reader.sweep();
    expect(existsSync(join(root, ".tmp"))).toBe(false);
  });

  it("neither lists nor touches the lock and the catalog beside the objects", async () => {
    const root = temporaryFolder("store");
    const store = new DirectoryStore(root);
    const own = [".lock.sqlite", "catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"];
    for (const name of own) writeFileSync(join(root, name), "x");
    await store.put("a/x", new Uint8Array(1));
    const keys: string[] = [];
    for await (const { key } of store.list("")) keys.push(key);
    expect(keys).toEqual(["a/x"]);
    for (const name of [...own, ".tmp/x"]) {
      await expect(store.read(name)).rejects.toBeInstanceOf(InvalidKeyError);
      await expect(store.remove(name)).rejects.toBeInstanceOf(InvalidKeyError);
    }
  });

  it("writes nothing into a folder that is only read", async () => {
    const root = temporaryFolder("store");
    mkdirSync(join(root, "a"));
    writeFileSync(join(root, "a/x"), "1");
    const store = new DirectoryStore(root);
    expect(await store.exists("a/x")).toBe(true);
    for await (const { key } of store.list("")) expect(key).toBe("a/x");
    expect(readdirSync(root)).toEqual(["a"]);
  });

  it("leaves nothing in its temporary folder, whatever came of a write", async () => {
    const root = temporaryFolder("store");
    const store = new DirectoryStore(root);
    await store.put("a/x", new Uint8Array(9));
    await store.putIfAbsent("a/x", new Uint8Array(9));
    await store.putIfAbsent("a/y", new Uint8Array(9));
    const writer = await store.writer("a/z");
    await writer.write(new Uint8Array(9));
    await writer.abort();
    mkdirSync(join(root, "a/folder/below"), { recursive: true });
    await expect(store.put("a/folder", new Uint8Array(9))).rejects.toThrow();
    expect(readdirSync(join(root, ".tmp"))).toEqual([]);
  });

  it.skipIf(process.getuid?.() === 0)(
    "tells of a folder it may not write to (skipped for root)",
    async () => {
      const root = temporaryFolder("store");
      chmodSync(root, 0o500);
      await expect(new DirectoryStore(root).put("a/x", new Uint8Array(1))).rejects.toThrow(/EACCES/);
      chmodSync(root, 0o700);
    },
  );
});
