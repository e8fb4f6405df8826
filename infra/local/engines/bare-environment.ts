import { delimiter, dirname } from "node:path";
import { LOCAL_CREDENTIALS, LOCAL_REGION } from "./client-environment.ts";

/**
 * The environment an engine starts with. Engines hand theirs on to the functions they run, so nothing of the user's is
 * in it: no keys, no AWS profile, no Docker socket.
 * @param home stands in for the home folder and holds temporary files
 */
export function bareEnvironment(home: string): Record<string, string> {
  // Engines run functions with the first `node` of the path: it must be the Node of this process, the pinned one.
  const path = [dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter);
  return {
    PATH: path,
    HOME: home,
    TMPDIR: home,
    LANG: process.env["LANG"] ?? "C.UTF-8",
    TZ: "UTC",
    PYTHONUNBUFFERED: "1",
    AWS_REGION: LOCAL_REGION,
    AWS_DEFAULT_REGION: LOCAL_REGION,
    AWS_ACCESS_KEY_ID: LOCAL_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: LOCAL_CREDENTIALS.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: "true",
    // An engine that finds Docker starts containers there, and removes those of other runs of itself.
    DOCKER_HOST: `unix://${home}/no-docker.sock`,
  };
}
