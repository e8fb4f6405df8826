import { datasetPrefix } from "../contracts/keys.ts";
import { MANIFEST_SCHEMA, type Manifest, manifestSchema } from "../dataset/manifest.ts";
import { ObjectNotFoundError, type ObjectStore } from "../ports/object-store.ts";

/** Names a dataset version. */
export interface VersionName {
  readonly name: string;
  readonly version: string;
}

/** The manifest of a dataset version is not what it should be; the message says how to come by a good one. */
export class ManifestError extends Error {
  override readonly name = "ManifestError";
  readonly fault: string;
  readonly remedy: string;
  constructor(key: string, { fault, remedy }: { readonly fault: string; readonly remedy: string }) {
    super(`${key}: ${fault}; ${remedy}`);
    this.fault = fault;
    this.remedy = remedy;
  }
}

/** A version's manifest is gone, so nobody knows what it was made of. */
export class NoManifestError extends Error {
  override readonly name = "NoManifestError";
  constructor(version: VersionName) {
    super(
      `${manifestKey(version)} is not there: the version was removed, or never finished; export with the same settings again for the same one`,
    );
  }
}

export function manifestKey({ name, version }: VersionName): string {
  return `${datasetPrefix(name, version)}manifest.json`;
}

/** Undefined where it is not there. @throws ManifestError */
export async function readManifest(
  version: VersionName,
  store: Pick<ObjectStore, "read">,
): Promise<Manifest | undefined> {
  const key = manifestKey(version);
  let bytes: Uint8Array;
  try {
    bytes = await store.read(key);
  } catch (error) {
    if (error instanceof ObjectNotFoundError) return undefined;
    throw error;
  }
  return parseManifest(bytes, { key, version });
}

/** @throws NoManifestError, ManifestError */
export async function manifestOf(version: VersionName, store: Pick<ObjectStore, "read">): Promise<Manifest> {
  const manifest = await readManifest(version, store);
  if (manifest === undefined) throw new NoManifestError(version);
  return manifest;
}

/** Its text is our own, so what is wrong may be said with its field. @throws ManifestError */
function parseManifest(
  bytes: Uint8Array,
  { key, version }: { readonly key: string; readonly version: VersionName },
): Manifest {
  const damaged = (fault: string): ManifestError =>
    new ManifestError(key, {
      fault,
      remedy:
        "bring back a copy of it; without one, remove it and export with the same settings, which writes the same files anew",
    });
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    throw damaged("it is no JSON");
  }
  const schema = typeof json === "object" && json !== null && "schema" in json ? json.schema : undefined;
  if (typeof schema === "string" && /^gymline\.dataset\.v\d+$/.test(schema) && schema !== MANIFEST_SCHEMA) {
    throw new ManifestError(key, {
      fault: `it is a manifest of another version of gymline (${schema}, not ${MANIFEST_SCHEMA})`,
      remedy:
        "its rows can be used as before; export anew for a version with its inputs, then remove that folder",
    });
  }
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw damaged(`${issue?.path.join(".") || "$"}: ${issue?.message ?? "not valid"}`);
  }
  const { name, version: own } = parsed.data;
  if (name !== version.name || own !== version.version) throw damaged(`it is that of ${name}/${own}`);
  return parsed.data;
}
