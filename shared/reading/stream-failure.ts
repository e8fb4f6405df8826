import type { Fault } from "./rejection.ts";

/**
 * The bytes of a file or archive entry cannot be read on. `object` scope: nothing more of the dropped object may
 * be read; `stream` scope: other entries can.
 */
export class StreamFailure extends Error {
  override readonly name = "StreamFailure";
  readonly fault: Fault;
  readonly scope: "stream" | "object";
  readonly byteOffset: number | undefined;

  constructor(options: {
    readonly fault: Fault;
    readonly scope?: "stream" | "object";
    readonly byteOffset?: number;
    readonly cause?: unknown;
  }) {
    super(`${options.fault.reason} ${options.fault.remedy}`, { cause: options.cause });
    this.fault = options.fault;
    this.scope = options.scope ?? "stream";
    this.byteOffset = options.byteOffset;
  }
}
