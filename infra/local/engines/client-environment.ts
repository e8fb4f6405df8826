export const LOCAL_REGION = "us-east-1";

/** Credentials that every engine takes and AWS does not. The key's twelve zeros are the engines' default account. */
export const LOCAL_CREDENTIALS = { accessKeyId: "test", secretAccessKey: "test" } as const;

/**
 * The variables that make an AWS SDK or the CDK's command line talk to an engine and to nothing else.
 * @param endpoint the engine's URL
 */
export function clientEnvironment(endpoint: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    // The CDK's asset publishing asks for S3's own variable.
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_REGION: LOCAL_REGION,
    AWS_DEFAULT_REGION: LOCAL_REGION,
    AWS_ACCESS_KEY_ID: LOCAL_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: LOCAL_CREDENTIALS.secretAccessKey,
    // Without it an SDK that finds no credentials waits for the metadata service of an EC2 machine.
    AWS_EC2_METADATA_DISABLED: "true",
  };
}
