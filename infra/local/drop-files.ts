import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, join, relative, sep } from "node:path";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { LOCAL_CREDENTIALS, LOCAL_REGION } from "./engines/client-environment.ts";

export interface Drop {
  readonly endpoint: string;
  readonly bucket: string;
  /** A file, or a folder with all files in it. */
  readonly path: string;
  /** Becomes the first part of each key, by which the program tells projects apart. */
  readonly project: string;
}

/**
 * Puts files into the drop bucket.
 * @returns their keys
 */
export async function dropFiles({ endpoint, bucket, path, project }: Drop): Promise<string[]> {
  const client = new S3Client({
    endpoint,
    region: LOCAL_REGION,
    credentials: LOCAL_CREDENTIALS,
    forcePathStyle: true,
  });
  const keys: string[] = [];
  for (const { file, name } of await filesOf(path)) {
    const key = [project, ...name.split(sep)].join("/");
    const { size } = await stat(file);
    const body = createReadStream(file);
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ContentLength: size }));
    keys.push(key);
  }
  return keys;
}

async function filesOf(path: string): Promise<{ readonly file: string; readonly name: string }[]> {
  if (!(await stat(path)).isDirectory()) return [{ file: path, name: basename(path) }];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({ file, name: relative(path, file) }));
}
