import { join } from "node:path";
import { pythonEnvironment } from "../python-environment.ts";
import { bareEnvironment } from "./bare-environment.ts";
import { type Engine, EngineUnavailableError } from "./engine.ts";
import { createHostEngine } from "./host-engine.ts";

export interface LocalEngineOptions {
  /** The folder for what is installed once and used by every run. */
  readonly cache: string;
  /** The folder of this run; see `Engine`. */
  readonly home: string;
  readonly port?: number | undefined;
}

/**
 * MiniStack, an AWS in one Python process. It runs Node functions as child processes, answers in under a second, and
 * stores in memory. Its AWS Batch is a stub that reports success for whatever it is given.
 */
export function ministack({ cache, home, port }: LocalEngineOptions): Engine {
  return createHostEngine({
    name: "ministack",
    home,
    port,
    healthPath: "/_ministack/health",
    startWithinMs: 30_000,
    prepare: async () => {
      const environment = await pythonEnvironment({
        folder: join(cache, "ministack"),
        minors: [13, 12, 11, 10],
        // Without boto3 the CDK's own Python functions hang a deploy. One command, so that pip resolves them together.
        installs: [["ministack==1.5.33", "boto3"]],
      });
      if (environment.kind === "absent") {
        throw new EngineUnavailableError("ministack", {
          reason: environment.reason,
          remedy: "It needs Python 3.10 to 3.13 with venv, and for its first start a network.",
        });
      }
      return (place) => ({
        command: environment.python,
        args: ["-m", "ministack"],
        env: {
          ...bareEnvironment(place.temporary),
          BIND_HOST: "127.0.0.1",
          GATEWAY_PORT: `${place.port}`,
          // Stands in queue URLs; "localhost" may be an IPv6 address, where it does not listen.
          MINISTACK_HOST: "127.0.0.1",
          STATE_DIR: place.data,
          S3_DATA_DIR: place.data,
          LAMBDA_EXECUTOR: "local",
        },
      });
    },
  });
}
