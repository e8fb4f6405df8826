import { once } from "node:events";
import { cpSync, readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { filesOf, type Publication, publishVersion } from "../../../shared/adapters/hub/publish-version.ts";
import type { Manifest } from "../../../shared/dataset/manifest.ts";
import { type HubServer, type HubServerOptions, hubServer } from "../../factories/hub-server/hub-server.ts";
import { chatRow } from "../../factories/logs.ts";
import { makeStation } from "../../factories/station.ts";
import { temporaryFolder } from "../../factories/temporary.ts";

interface Version {
  readonly manifest: Manifest;
  readonly folder: string;
}

const REPO = "team/agent-sft";

/** A text that no compression makes small. */
function noise(length: number): string {
  let state = 1;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return String.fromCharCode(0x4e00 + (state % 20_000));
  }).join("");
}

async function exported({
  files,
  shardRows,
  output = "out",
}: {
  readonly files?: "parquet";
  readonly shardRows?: number;
  readonly output?: string;
} = {}): Promise<Version> {
  const station = makeStation();
  for (let task = 0; task < 4; task += 1) {
    station.write(`team/${task}.json`, chatRow({ task: `task-${task}`, calls: [[`try ${task}`, output]] }));
  }
  await station.run();
  const split = { train: 1, validation: 0, test: 0, seed: 1 };
  const result = await station.export({ split, ...(files && { files }), ...(shardRows && { shardRows }) });
  if (result.kind === "empty") throw new Error("the dataset is empty");
  const folder = temporaryFolder("version");
  cpSync(join(station.local.folder, result.prefix), folder, { recursive: true });
  return { manifest: result.manifest, folder };
}

function publication(
  { manifest, folder }: Version,
  server: HubServer,
  more: Partial<Publication> = {},
): Publication {
  return {
    manifest,
    fileUrl: (path) => pathToFileURL(join(folder, path)),
    repo: REPO,
    isPrivate: false,
    revision: "main",
    token: server.token,
    hubUrl: server.url,
    ...more,
  };
}

/** What the Hub has is what the folder has, byte for byte. */
function expectSame(server: HubServer, { manifest, folder }: Version, branch = "main"): void {
  for (const path of filesOf(manifest)) {
    const there = server.files(REPO, branch).get(path);
    expect(there?.equals(readFileSync(join(folder, path))), path).toBe(true);
  }
}

describe("publishVersion", () => {
  it.each<[string, HubServerOptions]>([
    ["in one piece", { transfer: "basic" }],
    ["in parts", { transfer: "multipart" }],
    ["by Xet", { transfer: "xet" }],
  ])("brings all files over byte for byte in one commit, a large one %s", async (_, options) => {
    const server = await hubServer({ ...options, largeFrom: 100_000 });
    const version = await exported({ output: `${noise(200_000)}${"abc ".repeat(50_000)}` });
    const published = await publishVersion(publication(version, server));
    expect(published).toMatchObject({ kind: "published", isNewRepo: true, removed: [] });
    expect(published.url).toBe(`${server.url}/datasets/${REPO}`);
    const commits = server.commits(REPO);
    expect(commits.map(({ summary }) => summary)).toEqual([
      "initial commit",
      `sft ${version.manifest.version}`,
    ]);
    expect(published.commit).toBe(commits.at(-1)?.id);
    expect([...server.files(REPO).keys()].sort()).toEqual(
      [".gitattributes", ...filesOf(version.manifest)].sort(),
    );
    expect(server.uploads.length).toBeGreaterThan(0);
    expectSame(server, version);
  });

  it("brings a Parquet file over as a large one, however small it is", async () => {
    const server = await hubServer();
    const version = await exported({ files: "parquet" });
    await publishVersion(publication(version, server));
    expect(server.uploads).toEqual([version.manifest.files[0]?.sha256]);
    expectSame(server, version);
  });

  it("changes nothing where the version is there already", async () => {
    const server = await hubServer({ largeFrom: 2000 });
    const version = await exported();
    const first = await publishVersion(publication(version, server));
    const again = await publishVersion(publication(version, server));
    expect(again).toMatchObject({ kind: "unchanged", commit: first.commit, uploaded: [], isNewRepo: false });
    expect(server.commits(REPO)).toHaveLength(2);
    expect(server.uploads).toHaveLength(new Set(server.uploads).size);
  });

  it("replaces the version before it: removes the files that this one lacks and leaves all others", async () => {
    const server = await hubServer();
    const before = await exported({ shardRows: 1 });
    server.addRepo(REPO, { files: new Map([["notes.md", Buffer.from("ours")]]) });
    await publishVersion(publication(before, server));
    const after = await exported({ shardRows: 2, output: "other" });
    const published = await publishVersion(publication(after, server));
    expect([...published.removed].sort()).toEqual(["train-00002.jsonl", "train-00003.jsonl"]);
    const names = [".gitattributes", "notes.md", ...filesOf(after.manifest)];
    expect([...server.files(REPO).keys()].sort()).toEqual(names.sort());
    expectSame(server, after);
  });

  it("sends again only what differs", async () => {
    const server = await hubServer();
    const version = await exported();
    await publishVersion(publication(version, server));
    const commit = server.commits(REPO).at(-1);
    const files = new Map(commit?.files).set("README.md", Buffer.from("# edited"));
    server.addRepo(REPO, { files });
    const again = await publishVersion(publication(version, server));
    expect(again.uploaded).toEqual(["README.md"]);
    expectSame(server, version);
  });

  it("makes a private repository where asked, and refuses one that is public", async () => {
    const server = await hubServer();
    const version = await exported();
    await publishVersion(publication(version, server, { isPrivate: true }));
    expect(server.repo(REPO)?.isPrivate).toBe(true);
    server.addRepo("team/open");
    await expect(
      publishVersion(publication(version, server, { repo: "team/open", isPrivate: true })),
    ).rejects.toThrow(/team\/open is public and --private was given/);
    expect(server.commits("team/open")).toHaveLength(1);
  });

  it("makes the branch that is asked for and leaves main alone", async () => {
    const server = await hubServer();
    const version = await exported();
    const { url } = await publishVersion(publication(version, server, { revision: "next" }));
    expect(url).toBe(`${server.url}/datasets/${REPO}/tree/next`);
    expectSame(server, version, "next");
    expect([...server.files(REPO).keys()]).toEqual([".gitattributes"]);
  });

  it.each<[string, Partial<Publication>, RegExp]>([
    ["a bad token", { token: "hf_wrong" }, /answered 401 \("Invalid username or password\."\); the token/],
    ["an owner it may not write to", { repo: "other/agent-sft" }, /answered 403 .*the right to write/],
  ])("says what to do about %s, without the token", async (_, more, message) => {
    const server = await hubServer();
    const wrong = publication(await exported(), server, more);
    const error = await publishVersion(wrong).catch((fault: unknown) => fault);
    expect(error).toMatchObject({ name: "PublishError", message: expect.stringMatching(message) });
    expect(String(error)).not.toContain(wrong.token);
    expect(server.repo(REPO)).toBeUndefined();
  });

  it("says so where the Hub cannot be reached", async () => {
    const server = await hubServer();
    const version = await exported();
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const hubUrl = `http://127.0.0.1:${(closed.address() as AddressInfo).port}`;
    closed.close();
    await once(closed, "close");
    await expect(publishVersion(publication(version, server, { hubUrl }))).rejects.toThrow(
      /cannot be reached \(ECONNREFUSED\); nothing was committed/,
    );
  });

  it.each<[string, RegExp, number | "break", RegExp]>([
    ["the upload is refused", /PUT \/lfs/, 403, /answered 403/],
    ["the connection breaks while a file is sent", /PUT \/lfs/, "break", /cannot be reached/],
    ["the commit fails", /POST .*\/commit/, 500, /answered 500 .*wait a while/],
    ["the Hub is busy", /GET .*\/tree/, 429, /answered 429 .*wait some minutes/],
    ["somebody else commits meanwhile", /POST .*\/commit/, 412, /somebody else changed/],
  ])("commits nothing where %s, and goes on the next time", async (_, line, status, message) => {
    const server = await hubServer({ largeFrom: 2000 });
    const version = await exported();
    server.failNext(line, status);
    const error = await publishVersion(publication(version, server)).catch((fault: unknown) => fault);
    expect(error).toMatchObject({ name: "PublishError", message: expect.stringMatching(message) });
    expect(String(error)).not.toContain("signature");
    expect(server.commits(REPO)).toHaveLength(1);
    expect(await publishVersion(publication(version, server))).toMatchObject({ kind: "published" });
    expectSame(server, version);
  });

  it("does not trust a manifest on the Hub that is none: nothing is removed by it", async () => {
    const server = await hubServer();
    const files = new Map([
      ["manifest.json", Buffer.from('{"files":"?"}')],
      ["train.csv", Buffer.from("a,b")],
    ]);
    server.addRepo(REPO, { files });
    const version = await exported();
    expect(await publishVersion(publication(version, server))).toMatchObject({ removed: [] });
    expect(server.files(REPO).get("train.csv")?.toString()).toBe("a,b");
  });
});
