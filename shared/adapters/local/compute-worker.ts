import { setImmediate as turn } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { computeGroup } from "../../stages/compute-groups.ts";
import {
  computeIngest,
  computeRow,
  computeRowGroup,
  computeScore,
  type TaskSettings,
} from "../../stages/compute-tasks.ts";
import { TokenCounters } from "../../stages/compute-tokens.ts";
import { releaseBytes } from "../../stages/release-bytes.ts";
import {
  type ComputeResult,
  type ComputeTask,
  ownBuffer,
  type TaskAnswer,
  type TaskBatch,
  type ThreadMessage,
  threadError,
  type WorkerSetup,
} from "./compute-messages.ts";
import { taskSettings } from "./task-settings.ts";

/** Entry of a compute thread: takes batches of tasks, answers each batch once. */

const port = parentPort;
if (port === null) throw new Error("compute-worker.ts runs as a worker thread only");
const counters = new TokenCounters();
const { plan, dataset } = workerData as WorkerSetup;
const settings = taskSettings(plan).then((own) => (dataset === undefined ? own : { ...own, dataset }));
// Each task of a batch meets a fault of the settings; until then it must not end the thread. What ends the thread after
// this message is the doing of a task.
const ready = settings
  .catch(() => undefined)
  .then(() => port.postMessage({ ready: true } satisfies ThreadMessage));

// A fault outside of a task ends the thread, but not at once: what it says until then must not pass for an answer.
let ending = false;
process.on("uncaughtExceptionMonitor", () => {
  ending = true;
});

port.on("message", async (batch: TaskBatch) => {
  await ready;
  const transfer: ArrayBuffer[] = [];
  const answers: TaskAnswer[] = [];
  for (const task of batch.tasks) answers.push(await answer(task, transfer));
  // By then, promises that a task left behind have failed.
  await turn();
  if (ending) return;
  const reply: ThreadMessage = { answers };
  port.postMessage(reply, transfer);
});

async function answer(task: ComputeTask, transfer: ArrayBuffer[]): Promise<TaskAnswer> {
  try {
    return { ok: true, result: await perform(task, { settings: await settings, transfer }) };
  } catch (error) {
    return { ok: false, error: threadError(error) };
  }
}

async function perform(
  task: ComputeTask,
  context: { readonly settings: TaskSettings; readonly transfer: ArrayBuffer[] },
): Promise<ComputeResult> {
  const give = (bytes: Uint8Array): Uint8Array => {
    const own = ownBuffer(bytes);
    context.transfer.push(own.buffer);
    return own;
  };
  if (task.kind === "score") {
    const score = await computeScore(task.document, context.settings.score, task.evidence);
    return { ...score, bytes: give(score.bytes) };
  }
  if (task.kind === "row") {
    const row = computeRow(task, context.settings);
    return "refused" in row ? row : { ...row, line: give(row.line) };
  }
  if (task.kind === "group") {
    const made = computeGroup(task.group, context.settings);
    if (made.kind === "damaged") return made;
    const rows = made.rows.map((row) => ("refused" in row ? row : { ...row, line: give(row.line) }));
    return { ...made, rows };
  }
  if (task.kind === "row-group") {
    const group = await computeRowGroup(task);
    return { ...group, bytes: give(group.bytes) };
  }
  if (task.kind === "tokens") return counters.count(task);
  const computed = await computeIngest(task.record, context.settings);
  releaseBytes(task.record.bytes);
  return {
    rejections: computed.rejections,
    trajectories: computed.trajectories.map(({ document, blobs, score, rendered, ...rest }) => ({
      ...rest,
      document: give(document),
      blobs: blobs.map(({ sha256, bytes }) => ({ sha256, bytes: give(bytes) })),
      ...(score === undefined ? {} : { score: { ...score, bytes: give(score.bytes) } }),
      ...(rendered === undefined ? {} : { rendered: { ...rendered, line: give(rendered.line) } }),
    })),
  };
}
