import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { fileSource } from "../../shared/adapters/local/file-source.ts";
import type { DropItem } from "../../shared/adapters/local/walk.ts";
import { walkDrop } from "../../shared/adapters/local/walk.ts";
import { codesOf, MIB, read, textsOf } from "./sources.ts";

let base = "";
let root = "";

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "gymline-walk-"));
  root = join(base, "drop");
  await mkdir(root);
});

afterEach(async () => {
  await rm(base, { recursive: true, force: true });
});

async function put(key: string, content = "{}"): Promise<string> {
  const path = join(root, key);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  return path;
}

async function walk(from = root): Promise<readonly DropItem[]> {
  const items: DropItem[] = [];
  for await (const item of walkDrop(from)) items.push(item);
  return items;
}

/** Keys of files, and `source: code` of rejections. */
function summary(items: readonly DropItem[]): readonly string[] {
  return items.map((item) =>
    item.kind === "file" ? item.key : `${item.rejection.source}: ${item.rejection.code}`,
  );
}

describe("walkDrop", () => {
  it("lists files below the root by the bytes of their names, without dotfiles", async () => {
    for (const key of [
      "b.json",
      "a/z.json",
      "a/é.json",
      "a.json",
      "B.json",
      ".hidden",
      ".git/c.json",
      "a/.x",
    ]) {
      await put(key);
    }
    expect(summary(await walk())).toEqual(["B.json", "a/z.json", "a/é.json", "a.json", "b.json"]);
  });

  it("gives size and times to the nanosecond", async () => {
    const path = await put("a.json", "12345");
    await utimes(path, 1_700_000_000.5, 1_700_000_000.5);
    const [item] = await walk();
    expect(item).toMatchObject({
      kind: "file",
      path,
      key: "a.json",
      size: 5,
      mtimeNs: 1_700_000_000_500_000_000n,
    });
    expect(item?.kind === "file" && item.ctimeNs > 1_700_000_000_500_000_000n).toBe(true);
  });

  it("takes a file for a root", async () => {
    expect(summary(await walk(await put("only.json")))).toEqual(["only.json"]);
  });

  it("rejects a root that is not there", async () => {
    expect(summary(await walk(join(base, "missing")))).toEqual(["missing: unreadable"]);
  });

  it("follows links that stay inside and rejects those that leave, dangle or loop", async () => {
    await put("real/a.json");
    await put("real/deep/b.json");
    await writeFile(join(base, "outside.json"), "{}");
    await symlink(join(root, "real/a.json"), join(root, "1-file"));
    await symlink("real", join(root, "2-dir"));
    await symlink(join(base, "outside.json"), join(root, "3-outside"));
    await symlink("nowhere", join(root, "4-dangling"));
    await symlink("5-self", join(root, "5-self"));
    await symlink("..", join(root, "real/6-up"));
    expect(summary(await walk())).toEqual([
      "1-file",
      "2-dir/6-up: link-loop",
      "2-dir/a.json",
      "2-dir/deep/b.json",
      "3-outside: link-outside",
      "4-dangling: unreadable",
      "5-self: link-loop",
      "real/6-up: link-loop",
      "real/a.json",
      "real/deep/b.json",
    ]);
  });

  it("does not multiply by links that point at one another", async () => {
    for (let at = 0; at < 12; at += 1) {
      await put(`${at}/x.json`);
      for (const other of ["p", "q"]) await symlink(`../${(at + 1) % 12}`, join(root, `${at}/${other}`));
    }
    expect((await walk()).length).toBeLessThan(12 * 20);
  });

  it("rejects a pipe without opening it", async () => {
    execFileSync("mkfifo", [join(root, "pipe")]);
    await symlink("pipe", join(root, "to-pipe"));
    await put("z.json");
    expect(summary(await walk())).toEqual(["pipe: special-file", "to-pipe: special-file", "z.json"]);
  });

  it("rejects a name that is not UTF-8", async () => {
    await writeFile(Buffer.concat([Buffer.from(`${root}/`), Buffer.of(0x61, 0xff, 0x62)]), "{}");
    await put("z.json");
    expect(summary(await walk())).toEqual(["a\ufffdb: invalid-name", "z.json"]);
  });

  it("rejects a folder and a file that vanish during the walk", async () => {
    await put("a.json");
    await put("b/c.json");
    await put("d.json");
    const seen: DropItem[] = [];
    for await (const item of walkDrop(root)) {
      seen.push(item);
      await rm(join(root, "b"), { recursive: true, force: true });
      await rm(join(root, "d.json"), { force: true });
    }
    expect(summary(seen)).toEqual(["a.json", "b: unreadable", "d.json: unreadable"]);
  });
});

describe("fileSource", () => {
  it("gives exactly the range asked for", async () => {
    const content = Buffer.from(
      Array.from({ length: 2 * MIB + 77 }, (_, at) => (at * 31 + (at >> 8)) & 0xff),
    );
    const path = join(root, "bytes");
    await writeFile(path, content);
    const source = fileSource({ path, key: "bytes", size: content.length });
    const offset = fc.nat({ max: content.length });
    await fc.assert(
      fc.asyncProperty(offset, offset, async (one, other) => {
        const range = { start: Math.min(one, other), end: Math.max(one, other) };
        const chunks: Uint8Array[] = [];
        for await (const chunk of source.open(range)) chunks.push(chunk);
        expect(Buffer.concat(chunks).equals(content.subarray(range.start, range.end))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it("reads a file that has grown only up to the size it was listed with", async () => {
    const path = await put("log.jsonl", '{"a":1}\n{"b":2}\n');
    const [item] = await walk();
    if (item?.kind !== "file") throw new Error("no file listed");
    await writeFile(path, '{"a":1}\n{"b":2}\n{"c":3}\n');
    expect(textsOf(await read(fileSource(item)))).toEqual(['{"a":1}', '{"b":2}']);
  });

  it("says so when a file has shrunk or gone since it was listed", async () => {
    const path = await put("log.jsonl", '{"a":1}\n{"b":2}\n');
    const [item] = await walk();
    if (item?.kind !== "file") throw new Error("no file listed");
    await writeFile(path, '{"a":1}\n{"b"');
    expect(codesOf(await read(fileSource(item)))).toEqual(["changed-while-read"]);
    await rm(path);
    expect(codesOf(await read(fileSource(item)))).toEqual(["unreadable"]);
    await mkdir(path);
    expect(codesOf(await read(fileSource(item)))).toEqual(["unreadable"]);
  });
});
