import type { IncomingMessage } from "node:http";

/** What a proxy can tell of a request to AWS. */
export interface SeenRequest {
  /** Signing name: `s3`, `sqs`, `events`, `dynamodb`, `batch`, … */
  readonly service: string;
  /** As the API names it: `PutObject`, `SendMessageBatch`; for APIs that say it by path only, method and path. */
  readonly operation: string;
}

export function seenRequest({ method = "GET", url = "/", headers }: IncomingMessage): SeenRequest {
  const service = /Credential=[^/]+\/[^/]+\/[^/]+\/([^/]+)\//.exec(headers.authorization ?? "")?.[1] ?? "";
  const target = headers["x-amz-target"];
  if (typeof target === "string") return { service, operation: target.slice(target.lastIndexOf(".") + 1) };
  const { pathname, searchParams } = new URL(url, "http://loopback");
  if (service === "s3") return { service, operation: s3Operation(method, pathname, searchParams) };
  return { service, operation: `${method} ${pathname}` };
}

/** S3 names an operation by method, path and query together; those the adapters use. */
function s3Operation(method: string, path: string, query: URLSearchParams): string {
  const ofObject = path.split("/").filter((part) => part !== "").length > 1;
  const upload = query.has("uploadId");
  switch (method) {
    case "GET":
      if (query.has("versions")) return "ListObjectVersions";
      if (query.has("uploads")) return "ListMultipartUploads";
      if (upload) return "ListParts";
      return ofObject ? "GetObject" : "ListObjectsV2";
    case "HEAD":
      return ofObject ? "HeadObject" : "HeadBucket";
    case "PUT":
      if (upload) return "UploadPart";
      return ofObject ? "PutObject" : "PUT bucket";
    case "POST":
      if (upload) return "CompleteMultipartUpload";
      return query.has("uploads") ? "CreateMultipartUpload" : "POST";
    case "DELETE":
      if (upload) return "AbortMultipartUpload";
      return ofObject ? "DeleteObject" : "DeleteBucket";
    default:
      return method;
  }
}
