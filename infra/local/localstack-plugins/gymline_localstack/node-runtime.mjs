// Loads a Lambda handler and gives it one event after another. Messages come as lines of JSON on stdin, replies go as
// lines of JSON to the pipe that GYMLINE_REPLY_PIPE numbers; stdout and stderr are the function's own.
// The other side is function_process.py. When stdin ends, the engine has ended, and so does this.
import { existsSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const env = process.env;
const replyPipe = Number(env.GYMLINE_REPLY_PIPE);
delete env.GYMLINE_REPLY_PIPE;

const reply = (message) => writeFileSync(replyPipe, `${JSON.stringify(message)}\n`);
const refuse = (errorType, errorMessage) => Object.assign(new Error(errorMessage), { name: errorType });

async function loadHandler() {
  const name = env._HANDLER ?? "";
  const dot = name.lastIndexOf(".");
  const file = resolve(env.LAMBDA_TASK_ROOT ?? ".", name.slice(0, dot));
  const path = [".mjs", ".js", ".cjs"].map((end) => `${file}${end}`).find((path) => existsSync(path));
  if (path === undefined) throw refuse("Runtime.ImportModuleError", `there is no module for handler ${name}`);
  const module = await import(pathToFileURL(path).href);
  const handler = module[name.slice(dot + 1)] ?? module.default?.[name.slice(dot + 1)];
  if (typeof handler !== "function")
    throw refuse("Runtime.HandlerNotFound", `${name} is no exported function`);
  return handler;
}

function describe(error) {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? "").split("\n") };
}

function contextOf({ requestId, functionArn, deadlineMs }) {
  return {
    awsRequestId: requestId,
    invokedFunctionArn: functionArn,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => deadlineMs - Date.now(),
  };
}

async function answer(handler, message) {
  env._X_AMZN_TRACE_ID = message.traceId;
  try {
    return { result: (await handler(JSON.parse(message.event), contextOf(message))) ?? null };
  } catch (error) {
    process.stderr.write(`ERROR Invoke Error ${JSON.stringify(describe(error))}\n`);
    return { error: describe(error) };
  }
}

const handler = await loadHandler().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  reply({ error: describe(error) });
  process.exit(1);
});
reply({ ready: true });
for await (const line of createInterface({ input: process.stdin }))
  reply(await answer(handler, JSON.parse(line)));
process.exit(0);
