import { datasetPrefix } from "../contracts/keys.ts";
import { type DatasetInput, datasetInputSchema, type Manifest } from "../dataset/manifest.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { Carry } from "../reading/carry.ts";
import { parseStored } from "../stages/stored-json.ts";

/** The list of a version's inputs cannot be read. */
export class DatasetInputsError extends Error {
  override readonly name = "DatasetInputsError";
  readonly fault: string;
  constructor({ name, version }: Pick<Manifest, "name" | "version">, place: string, fault: string) {
    super(
      `${datasetPrefix(name, version)}${place}: ${fault}; gymline datasets verify ${name}/${version} says what else is damaged`,
    );
    this.fault = fault;
  }
}

const NEWLINE = 0x0a;
const START = '{"id":"';
const ID_END = START.length + 64;

/**
 * What a version is made of, in the order of its file, a piece of which is held at a time. With `ids`, only those: the
 * other lines are not parsed.
 * @throws DatasetInputsError, ObjectNotFoundError
 */
export async function* versionInputs(
  manifest: Pick<Manifest, "name" | "version" | "inputs">,
  { store, ids }: { readonly store: Pick<ObjectStore, "stream">; readonly ids?: ReadonlySet<string> },
): AsyncGenerator<DatasetInput> {
  const { path } = manifest.inputs;
  let number = 0;
  for await (const line of linesOf(
    store.stream(`${datasetPrefix(manifest.name, manifest.version)}${path}`),
  )) {
    number += 1;
    if (ids !== undefined && !ids.has(line.toString("latin1", START.length, ID_END))) continue;
    const read = parseStored(line, datasetInputSchema);
    if (read.kind === "fault") throw new DatasetInputsError(manifest, `${path}:${number}`, read.fault);
    if (ids === undefined || ids.has(read.value.id)) yield read.value;
  }
}

/** The inputs that stand in a row, by its number from 1. @throws as `versionInputs` */
export async function inputsOfRow(
  manifest: Pick<Manifest, "name" | "version" | "inputs">,
  row: { readonly split: DatasetInput["split"]; readonly number: number; readonly store: ObjectStore },
): Promise<readonly DatasetInput[]> {
  const found: DatasetInput[] = [];
  for await (const input of versionInputs(manifest, row)) {
    if (input.split === row.split && input.rows.includes(row.number)) found.push(input);
  }
  return found;
}

/** Lines of a file that comes piece by piece, without their newlines. */
export async function* linesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const carry = new Carry(Number.POSITIVE_INFINITY);
  for await (const piece of pieces) {
    let from = 0;
    for (let end = piece.indexOf(NEWLINE); end >= 0; end = piece.indexOf(NEWLINE, from)) {
      const rest = piece.subarray(from, end);
      from = end + 1;
      if (carry.isEmpty) yield bufferOf(rest);
      else {
        carry.add(rest);
        yield bufferOf(carry.take() ?? rest);
      }
    }
    carry.add(piece.subarray(from));
  }
  if (!carry.isEmpty) yield bufferOf(carry.take() ?? new Uint8Array());
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
