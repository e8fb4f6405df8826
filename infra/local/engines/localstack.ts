import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { dynamodbLocal } from "../dynamodb-local/install.ts";
import { pythonEnvironment } from "../python-environment.ts";
import { bareEnvironment } from "./bare-environment.ts";
import { type Engine, EngineUnavailableError } from "./engine.ts";
import { createHostEngine } from "./host-engine.ts";
import type { LocalEngineOptions } from "./ministack.ts";

const plugins = resolve(import.meta.dirname, "../localstack-plugins");

/** What pip takes by itself does not start: newer cbor2, pyOpenSSL and cryptography lack what this release uses. */
const PACKAGES = [
  "localstack-core[runtime]==2026.3.0",
  "localstack==2026.3.0",
  "cbor2<6",
  "pyopenssl==25.3.0",
  "cryptography>=45.0.1,<47",
  "service_identity",
  plugins,
];

/**
 * LocalStack in host mode, which needs no Docker and no account: functions and DynamoDB run as processes by our own
 * plugins. Slower than MiniStack by far; it is here so that what is deployed is seen by a second pair of eyes. It has
 * no AWS Batch.
 */
export function localstack({ cache, home, port }: LocalEngineOptions): Engine {
  return createHostEngine({
    name: "localstack",
    home,
    port,
    healthPath: "/_localstack/health",
    startWithinMs: 120_000,
    prepare: async () => {
      const python = await installPython(cache);
      const dynamodb = await installDynamodb(cache);
      return (place) => ({
        command: python,
        args: ["-m", "localstack.runtime.main"],
        env: {
          ...bareEnvironment(place.temporary),
          GATEWAY_LISTEN: `127.0.0.1:${place.port}`,
          GATEWAY_SERVER: "gymline-loopback",
          LOCALSTACK_HOST: `127.0.0.1:${place.port}`,
          LOCALSTACK_VOLUME_DIR: place.data,
          // Queue URLs that name the endpoint and not a host that only DNS of LocalStack's knows.
          SQS_ENDPOINT_STRATEGY: "path",
          OVERRIDE_IN_DOCKER: "0",
          LAMBDA_RUNTIME_EXECUTOR: "gymline-node",
          LAMBDA_RUNTIME_ENVIRONMENT_TIMEOUT: "60",
          // Seconds. By itself it waits for up to ten after a queue was empty.
          LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC: "1",
          // Of our stacks it lacks dashboards, which nothing depends on.
          CFN_IGNORE_UNSUPPORTED_RESOURCE_TYPES: "1",
          GYMLINE_NODE: process.execPath,
          GYMLINE_JAVA: dynamodb.java,
          GYMLINE_DYNAMODB_LIBRARIES: dynamodb.libraries,
          DYNAMODB_IN_MEMORY: "1",
          // It must call nobody: no usage events, no certificate, no name server of its own.
          DISABLE_EVENTS: "1",
          SKIP_SSL_CERT_DOWNLOAD: "1",
          DNS_ADDRESS: "0",
        },
      });
    },
  });
}

async function installPython(cache: string): Promise<string> {
  const environment = await pythonEnvironment({
    folder: join(cache, "localstack"),
    minors: [13],
    installs: [PACKAGES],
    revision: await digestOf(plugins),
  });
  if (environment.kind === "ready") return environment.python;
  throw new EngineUnavailableError("localstack", {
    reason: environment.reason,
    remedy: "It needs Python 3.13 with venv, and for its first start a network.",
  });
}

async function installDynamodb(cache: string) {
  const dynamodb = await dynamodbLocal(join(cache, "dynamodb-local"));
  if (dynamodb.kind === "ready") return dynamodb;
  throw new EngineUnavailableError("localstack", dynamodb);
}

/** Names the state of the files in a folder. */
async function digestOf(folder: string): Promise<string> {
  const hash = createHash("sha256");
  const files = (await readdir(folder, { recursive: true })).filter((path) => /\.(py|mjs|toml)$/.test(path));
  for (const file of files.sort()) hash.update(file).update(await readFile(join(folder, file)));
  return hash.digest("hex");
}
