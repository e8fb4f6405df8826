import { parseArgs } from "node:util";
import { z } from "zod";
import { ENGINE_NAMES } from "./engines/engine.ts";

export const USAGE = `usage: npm run local [-- options]

Starts a local AWS, deploys the program to it and shows what the functions print, until Ctrl-C. The stack goes on
running; call again to deploy what you changed.

  --engine NAME     ministack (default), localstack, or aws-endpoint URL for an engine that you run yourself
  --port N          where the engine listens on 127.0.0.1; by default a free port
  --drop PATH       puts a file, or all files of a folder, into the drop bucket of the running stack
  --project NAME    the project that --drop puts them under; by default "local"
  --status          tells what runs and where; exit code 3 where nothing does
  --stop            ends the stack and removes its data
  --job-image IMAGE runs Batch jobs in containers of this local Docker image; by default as plain processes
  --app APP         deploys another CDK app: a command, or the folder of an assembly
  --folder FOLDER   keeps the stack's state elsewhere, so that several can run side by side
`;

/** The command line cannot be understood. */
export class OptionsError extends Error {
  override readonly name = "OptionsError";
}

const optionsSchema = z.object({
  engine: z.enum(ENGINE_NAMES, `--engine is one of ${ENGINE_NAMES.join(", ")}`).default("ministack"),
  port: z.coerce.number("--port is a number").int().min(1).max(65_535).optional(),
  drop: z.string().optional(),
  project: z.string().min(1).default("local"),
  app: z.string().optional(),
  "job-image": z.string().optional(),
  folder: z.string().optional(),
  status: z.boolean().default(false),
  stop: z.boolean().default(false),
  help: z.boolean().default(false),
});

/** Which engine is wanted. */
export type EngineChoice =
  | { readonly engine: "ministack" | "localstack"; readonly port: number | undefined }
  | { readonly engine: "aws-endpoint"; readonly url: string };

/** What the user asks for. */
export type LocalCommand = { readonly folder: string | undefined } & (
  | { readonly kind: "help" | "status" | "stop" }
  | { readonly kind: "drop"; readonly path: string; readonly project: string }
  | {
      readonly kind: "up";
      readonly choice: EngineChoice;
      readonly app: string | undefined;
      readonly image: string | undefined;
    }
);

/** @throws OptionsError */
export function readCommand(argv: readonly string[]): LocalCommand {
  const { options, urls } = parse(argv);
  const { folder } = options;
  if (options.help) return { kind: "help", folder };
  if (options.stop) return { kind: "stop", folder };
  if (options.status) return { kind: "status", folder };
  if (options.drop !== undefined)
    return { kind: "drop", folder, path: options.drop, project: options.project };
  return { kind: "up", folder, app: options.app, image: options["job-image"], choice: choose(options, urls) };
}

function choose(
  { engine, port }: Pick<z.infer<typeof optionsSchema>, "engine" | "port">,
  [url, ...more]: readonly string[],
): EngineChoice {
  if (engine !== "aws-endpoint") {
    if (url !== undefined) throw new OptionsError(`what is "${url}"? Only --engine aws-endpoint takes a URL`);
    return { engine, port };
  }
  if (url === undefined || more.length > 0) throw new OptionsError("--engine aws-endpoint takes one URL");
  if (port !== undefined) throw new OptionsError("--engine aws-endpoint takes no --port; the URL has it");
  return { engine, url };
}

function parse(argv: readonly string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        engine: text,
        port: text,
        drop: text,
        project: text,
        app: text,
        "job-image": text,
        folder: text,
        status: flag,
        stop: flag,
        help: { ...flag, short: "h" },
      },
    });
    return { options: optionsSchema.parse(values), urls: positionals };
  } catch (cause) {
    const reason =
      cause instanceof z.ZodError ? cause.issues.map(({ message }) => message).join("; ") : String(cause);
    throw new OptionsError(reason, { cause });
  }
}
