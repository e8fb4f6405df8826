import { type Evidence, evidenceRecord, evidenceSchema } from "../contracts/evidence.ts";
import type { Ledger } from "../ports/ledger.ts";
import { changeRecord, LedgerBusyError, readRecord } from "./ledger-record.ts";

/** A judgement or a label of the trajectory `id` that is in the store by now. */
export type EvidenceNote = { readonly id: string } & (
  | { readonly judge: string }
  | { readonly annotator: string }
);

/** Tries of a removal that others keep changing under. */
const TRIES = 20;

/**
 * Notes that there is a judgement or a label, so that scoring finds it. The document comes first, then the note: a
 * kill in between leaves a document that the next write of the same one notes. Noted twice, it changes nothing.
 * Gives what the record says afterwards.
 * @throws LedgerBusyError
 */
export async function noteEvidence(note: EvidenceNote, ledger: Ledger): Promise<Evidence> {
  const key = evidenceRecord(note.id);
  let result = NOTHING;
  await changeRecord({ ledger, key, schema: evidenceSchema }, (current = NOTHING) => {
    result = withNote(current, note);
    return result === current ? undefined : result;
  });
  return result;
}

/** What is noted of a trajectory; nothing where there is no record. */
export async function evidenceOf(id: string, ledger: Ledger): Promise<Evidence> {
  const found = await readRecord(ledger, evidenceRecord(id), evidenceSchema);
  return found?.value ?? NOTHING;
}

/** Removes the record of a trajectory that is forgotten; where there is none, nothing. @throws LedgerBusyError */
export async function removeEvidence(id: string, ledger: Ledger): Promise<void> {
  const key = evidenceRecord(id);
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const found = await ledger.get(key);
    if (found === undefined || (await ledger.remove(key, found.version)) === "removed") return;
  }
  throw new LedgerBusyError(key);
}

const NOTHING: Evidence = { schema: "gymline.evidence.v1", judges: [], annotators: [] };

function withNote(current: Evidence, note: EvidenceNote): Evidence {
  const field = "judge" in note ? "judges" : "annotators";
  const name = "judge" in note ? note.judge : note.annotator;
  if (current[field].includes(name)) return current;
  return { ...current, [field]: [...current[field], name].sort() };
}
