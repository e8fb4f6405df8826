/** Where things lie in the store; the same keys on disk and in S3. */

export function trajectoryKey(id: string, revision?: string): string {
  const suffix = revision === undefined ? "" : `.${revision}`;
  return `trajectories/${id.slice(0, 2)}/${id}${suffix}.json.gz`;
}

export function trajectoryPrefix(id: string): string {
  return `trajectories/${id.slice(0, 2)}/${id}`;
}

export function scoreKey(id: string, scorer: string): string {
  return `scores/${id}/${scorer}.json`;
}

export function scorePrefix(id: string): string {
  return `scores/${id}/`;
}

export function blobKey(sha256: string): string {
  return `blobs/${sha256}`;
}

export function rejectionReportKey(dropKey: string): string {
  return `rejected/${dropKey}.report.json`;
}

export function datasetPrefix(name: string, version: string): string {
  return `datasets/${name}/${version}/`;
}

export const DEFAULT_PROJECT = "default";

/** The project label of a dropped object: its top folder. */
export function projectOf(dropKey: string): string {
  const slash = dropKey.indexOf("/");
  return slash > 0 ? dropKey.slice(0, slash) : DEFAULT_PROJECT;
}
