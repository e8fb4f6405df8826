/**
 * A stand-in for the Hugging Face Hub on loopback, as far as publishing a dataset needs it: repositories with branches
 * and commits, the negotiation of large files (basic, in parts, or by Xet), and commits as NDJSON. It keeps every commit's
 * files byte for byte, refuses what the Hub refuses (other tokens, a parent that is not the head, objects that did not
 * come), and `failNext` scripts its faults.
 */
import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { z } from "zod";
import { XetStorage } from "./xet.ts";

type Files = ReadonlyMap<string, Buffer>;

interface Commit {
  readonly id: string;
  readonly summary: string;
  readonly files: Files;
}

interface Repo {
  isPrivate: boolean;
  readonly commits: Commit[];
  readonly branches: Map<string, string>;
}

export interface HubServer {
  readonly url: string;
  readonly token: string;
  readonly requests: readonly string[];
  repo(name: string): Repo | undefined;
  /** The files at the head of a branch. */
  files(name: string, branch?: string): Files;
  commits(name: string): readonly Commit[];
  /** How often bytes of large files came. */
  readonly uploads: readonly string[];
  addRepo(name: string, options?: { readonly isPrivate?: boolean; readonly files?: Files }): void;
  /** Answers the next request whose line matches like this, or breaks its connection. */
  failNext(line: RegExp, status: number | "break", body?: object): void;
}

export interface HubServerOptions {
  /** How large files come; files of this many bytes and more are large. */
  readonly transfer?: "basic" | "multipart" | "xet";
  readonly largeFrom?: number;
}

class Refused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const PAGE = 3;
const PART = 64 << 10;

export async function hubServer(options: HubServerOptions = {}): Promise<HubServer> {
  const { transfer = "basic", largeFrom = 1 << 20 } = options;
  const token = "hf_testtoken";
  const repos = new Map<string, Repo>();
  const objects = new Map<string, Buffer>();
  const parts = new Map<string, Buffer[]>();
  const large = new Set<string>();
  const xet = new XetStorage();
  const requests: string[] = [];
  const uploads: string[] = [];
  const faults: { readonly line: RegExp; readonly status: number | "break"; readonly body: object }[] = [];
  let url = "";

  const repoOf = (name: string): Repo => {
    const found = repos.get(name);
    if (found === undefined) throw new Refused(404, "Repository not found");
    return found;
  };
  const commitOf = (repo: Repo, revision: string): Commit => {
    const id = repo.branches.get(revision === "HEAD" ? "main" : revision) ?? revision;
    const found = repo.commits.find((commit) => commit.id === id);
    if (found === undefined) throw new Refused(404, `Invalid rev id: ${revision}`);
    return found;
  };
  const addCommit = (repo: Repo, of: Omit<Commit, "id"> & { readonly branch: string }): Commit => {
    const id = createHash("sha1").update(`${of.summary}${repo.commits.length}`).digest("hex");
    const commit = { id, summary: of.summary, files: of.files };
    repo.commits.push(commit);
    repo.branches.set(of.branch, id);
    return commit;
  };
  const addRepo: HubServer["addRepo"] = (name, { isPrivate = false, files = new Map() } = {}) => {
    const repo: Repo = { isPrivate, commits: [], branches: new Map() };
    const first = new Map([[".gitattributes", Buffer.from("*.parquet filter=lfs\n")], ...files]);
    addCommit(repo, { summary: "initial commit", files: first, branch: "main" });
    repos.set(name, repo);
  };
  const isLarge = (path: string, size: number): boolean => path.endsWith(".parquet") || size >= largeFrom;
  const entryOf = ([path, bytes]: readonly [string, Buffer]): object => {
    const oid = createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
    const entry = { type: "file", path, size: bytes.length, oid };
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    return large.has(sha256)
      ? { ...entry, lfs: { oid: sha256, size: bytes.length, pointerSize: 134 } }
      : entry;
  };
  const uploadAction = (oid: string, size: number): object => {
    if (transfer === "basic") return { href: `${url}/lfs/${oid}?signature=secret` };
    if (transfer === "multipart") {
      const numbers = Array.from({ length: Math.ceil(size / PART) }, (_, index) => index + 1);
      const hrefs = numbers.map((part) => [String(part).padStart(5, "0"), `${url}/part/${oid}/${part}`]);
      return {
        href: `${url}/complete/${oid}`,
        header: { chunk_size: String(PART), ...Object.fromEntries(hrefs) },
      };
    }
    return {
      href: `${url}/xet-token`,
      header: { "X-Xet-Cas-Url": `${url}/cas`, "X-Xet-Session-Id": randomUUID() },
    };
  };

  const answer = async (request: IncomingMessage, response: ServerResponse, body: Buffer): Promise<void> => {
    const { pathname, searchParams } = new URL(request.url ?? "/", url);
    const path = pathname.split("/").slice(1).map(decodeURIComponent);
    const json = (value: unknown, headers: Record<string, string> = {}): void => {
      response.writeHead(200, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
    };
    const isSigned = ["lfs", "part", "complete", "cas"].includes(path[0] ?? "");
    if (!isSigned && request.headers.authorization !== `Bearer ${token}`)
      throw new Refused(401, "Invalid username or password.");
    const parsed = (): unknown => JSON.parse(body.toString("utf8"));

    if (path[0] === "lfs") {
      const oid = path[1] ?? "";
      uploads.push(oid);
      if (createHash("sha256").update(body).digest("hex") !== oid) throw new Refused(400, "checksum");
      objects.set(oid, body);
      return void response.writeHead(200).end();
    }
    if (path[0] === "part") {
      const [, oid = "", number = ""] = path;
      const list = parts.get(oid) ?? [];
      parts.set(oid, list);
      list[Number(number) - 1] = body;
      uploads.push(`${oid} ${number}`);
      return void response.writeHead(200, { etag: `"${number}"` }).end();
    }
    if (path[0] === "complete") {
      const { oid, parts: said } = z
        .object({ oid: z.string(), parts: z.array(z.object({ etag: z.string(), partNumber: z.int() })) })
        .parse(parsed());
      if (said.some(({ etag, partNumber }) => etag !== `"${partNumber}"`)) throw new Refused(400, "etag");
      const whole = Buffer.concat(parts.get(oid) ?? []);
      if (createHash("sha256").update(whole).digest("hex") !== oid) throw new Refused(400, "checksum");
      objects.set(oid, whole);
      return json({});
    }
    if (path[0] === "xet-token")
      return json({ accessToken: "cas-token", casUrl: `${url}/cas`, exp: 4_000_000_000 });
    if (path[0] === "cas") {
      if (request.headers.authorization !== "Bearer cas-token") throw new Refused(401, "no CAS token");
      if (path[2] === "chunks") throw new Refused(404, "unknown chunk");
      if (path[2] === "xorbs") xet.addXorb(path[4] ?? "", body);
      else {
        for (const [oid, content] of xet.filesOf(body)) {
          uploads.push(oid);
          objects.set(oid, content);
        }
      }
      return json({ was_inserted: true, result: 1 });
    }
    if (pathname === "/api/repos/create") {
      const asked = z
        .object({
          name: z.string(),
          organization: z.string(),
          type: z.literal("dataset"),
          visibility: z.enum(["public", "private"]),
        })
        .parse(parsed());
      const name = `${asked.organization}/${asked.name}`;
      if (asked.organization !== "team")
        throw new Refused(403, `You don't have the rights to create ${name}`);
      if (repos.has(name)) throw new Refused(409, "You already created this dataset repo");
      addRepo(name, { isPrivate: asked.visibility === "private" });
      return json({ url: `${url}/datasets/${name}`, id: name });
    }
    if (path[0] === "datasets" && path[2]?.endsWith(".git") === true) {
      repoOf(`${path[1]}/${path[2].slice(0, -4)}`);
      const { objects: asked, transfers } = z
        .object({
          transfers: z.array(z.string()),
          objects: z.array(z.object({ oid: z.string(), size: z.int() })),
        })
        .parse(parsed());
      const use = transfers.includes(transfer) ? transfer : "basic";
      for (const { oid } of asked) large.add(oid);
      const list = asked.map(({ oid, size }) =>
        objects.has(oid) ? { oid, size } : { oid, size, actions: { upload: uploadAction(oid, size) } },
      );
      return json({ transfer: use, objects: list });
    }
    if (path[0] === "datasets" && path[3] === "resolve") {
      const commit = commitOf(repoOf(`${path[1]}/${path[2]}`), path[4] ?? "");
      const bytes = commit.files.get(path.slice(5).join("/"));
      if (bytes === undefined) {
        return void response.writeHead(404, { "x-error-code": "EntryNotFound" }).end();
      }
      const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
      const headers = { etag: '"file"', "content-type": "text/plain" };
      if (range === null) return void response.writeHead(200, headers).end(bytes);
      const [from, to] = [Number(range[1]), Math.min(Number(range[2]), bytes.length - 1)];
      const content = `bytes ${from}-${to}/${bytes.length}`;
      return void response
        .writeHead(206, { ...headers, "content-range": content })
        .end(bytes.subarray(from, to + 1));
    }
    const [, , owner, short, action = "", revision = ""] = path;
    const name = `${owner}/${short}`;
    const repo = repoOf(name);
    if (action === "revision") {
      const { id } = commitOf(repo, revision);
      return json({
        _id: "1",
        id: name,
        private: repo.isPrivate,
        lastModified: "2026-01-01T00:00:00.000Z",
        sha: id,
      });
    }
    if (action === "tree") {
      const all = [...commitOf(repo, revision).files].map(entryOf);
      const from = Number(searchParams.get("cursor") ?? 0);
      const next = `${url}${pathname}?recursive=true&cursor=${from + PAGE}`;
      return json(
        all.slice(from, from + PAGE),
        from + PAGE < all.length ? { link: `<${next}>; rel="next"` } : {},
      );
    }
    if (action === "branch") {
      repo.branches.set(revision, commitOf(repo, "main").id);
      return json({});
    }
    if (action === "preupload") {
      const { files } = z
        .object({ files: z.array(z.object({ path: z.string(), size: z.int(), sample: z.base64() })) })
        .parse(parsed());
      return json({
        files: files.map(({ path: of, size }) => ({
          path: of,
          uploadMode: isLarge(of, size) ? "lfs" : "regular",
        })),
      });
    }
    if (action === "commit") {
      const files = new Map(commitOf(repo, revision).files);
      let summary = "";
      for (const line of body.toString("utf8").split("\n")) {
        const operation = operationSchema.parse(JSON.parse(line));
        if (operation.key === "header") {
          if (operation.value.parentCommit !== repo.branches.get(revision))
            throw new Refused(412, "A commit has happened since. Please refresh and try again.");
          summary = operation.value.summary;
        } else if (operation.key === "file") {
          files.set(operation.value.path, Buffer.from(operation.value.content, "base64"));
        } else if (operation.key === "lfsFile") {
          const content = objects.get(operation.value.oid);
          if (content?.length !== operation.value.size) throw new Refused(400, "an object did not come");
          files.set(operation.value.path, content);
        } else if (!files.delete(operation.value.path)) throw new Refused(400, "no such file");
      }
      const { id } = addCommit(repo, { summary, files, branch: revision });
      return json({ commitOid: id, commitUrl: `${url}/datasets/${name}/commit/${id}`, hookOutput: "" });
    }
    throw new Refused(404, "no such route");
  };

  const server = createServer(async (request, response) => {
    const line = `${request.method} ${request.url}`;
    requests.push(line);
    const fault = faults.findIndex((each) => each.line.test(line));
    const [scripted] = fault < 0 ? [] : faults.splice(fault, 1);
    if (scripted?.status === "break") return void request.socket.destroy();
    const body = await buffer(request).catch(() => Buffer.alloc(0));
    const refuse = (status: number, value: object): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
    };
    if (scripted !== undefined) return refuse(scripted.status as number, scripted.body);
    try {
      await answer(request, response, body);
    } catch (error) {
      const status = error instanceof Refused ? error.status : 500;
      refuse(status, { error: error instanceof Error ? error.message : "fault" });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  return {
    url,
    token,
    requests,
    uploads,
    addRepo,
    repo: (name) => repos.get(name),
    commits: (name) => repoOf(name).commits,
    files: (name, branch = "main") => commitOf(repoOf(name), branch).files,
    failNext: (line, status, body = { error: "scripted" }) => void faults.push({ line, status, body }),
  };
}

const operationSchema = z.discriminatedUnion("key", [
  z.object({
    key: z.literal("header"),
    value: z.object({ summary: z.string(), parentCommit: z.string().optional() }),
  }),
  z.object({
    key: z.literal("file"),
    value: z.object({ path: z.string(), content: z.base64(), encoding: z.literal("base64") }),
  }),
  z.object({
    key: z.literal("lfsFile"),
    value: z.object({ path: z.string(), oid: z.string(), size: z.int(), algo: z.literal("sha256") }),
  }),
  z.object({ key: z.literal("deletedFile"), value: z.object({ path: z.string() }) }),
]);
