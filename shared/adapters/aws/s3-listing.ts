import { ListObjectsV2Command, ListObjectVersionsCommand, type S3Client } from "@aws-sdk/client-s3";

export interface ListedObject {
  readonly key: string;
  /** In bytes. */
  readonly size: number;
}

/** All current objects of a bucket whose key starts with `prefix`, in the order of their UTF-8 bytes. */
export async function* listObjects(options: {
  readonly client: S3Client;
  readonly bucket: string;
  readonly prefix: string;
}): AsyncGenerator<ListedObject> {
  let token: string | undefined;
  do {
    const page = await options.client.send(
      new ListObjectsV2Command({
        Bucket: options.bucket,
        Prefix: options.prefix,
        ContinuationToken: token,
        EncodingType: "url",
      }),
    );
    const decode = decoder(page.EncodingType);
    for (const { Key, Size } of page.Contents ?? []) {
      if (Key !== undefined) yield { key: decode(Key), size: Size ?? 0 };
    }
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
}

/**
 * Ids of the first versions and delete markers of one key, none where there are none; the one version of a bucket
 * without versioning is `null`.
 */
export async function someVersions(options: {
  readonly client: S3Client;
  readonly bucket: string;
  readonly key: string;
}): Promise<readonly string[]> {
  const { client, bucket, key } = options;
  // Keys come in order and `key` is the first that starts with itself, so its versions stand on the first page.
  const page = await client.send(
    new ListObjectVersionsCommand({ Bucket: bucket, Prefix: key, EncodingType: "url" }),
  );
  const decode = decoder(page.EncodingType);
  return [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])].flatMap(({ Key, VersionId }) =>
    Key !== undefined && decode(Key) === key ? [VersionId ?? "null"] : [],
  );
}

/** XML cannot hold every character of a key, so S3 is asked to encode them; an engine may not know how. */
function decoder(encoding: string | undefined): (key: string) => string {
  return encoding === "url" ? (key) => decodeURIComponent(key.replaceAll("+", " ")) : (key) => key;
}
