import type { CatalogRow } from "../contracts/catalog-row.ts";
import { contentIdentity } from "../trajectory/identity.ts";
import { trajectorySchema } from "../trajectory/schema.ts";
import { unpackDocument } from "./document-file.ts";

/**
 * Checks one stored document against its catalog row: compression, JSON, schema, identity. Says what is wrong, or
 * undefined where nothing is. Never quotes content.
 */
export function documentFault(
  bytes: Uint8Array,
  row: Pick<CatalogRow, "id" | "contentId" | "revision">,
): string | undefined {
  let text: string;
  try {
    text = unpackDocument(bytes);
  } catch {
    return "it cannot be unpacked: the Zstandard data is damaged";
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return "it is no valid JSON";
  }
  const result = trajectorySchema.safeParse(json);
  if (!result.success) {
    const [issue] = result.error.issues;
    return `it is no valid trajectory: ${issue?.path.map(String).join(".") ?? ""} is wrong`;
  }
  const facts = result.data.extra.gymline;
  if (facts.id !== row.id) return `it says that its id is ${facts.id}`;
  if (facts.provenance.revision !== row.revision) {
    return `its revision is ${facts.provenance.revision}, the catalog has ${row.revision}`;
  }
  const { contentId } = contentIdentity(result.data, facts.task.id, { prefixes: false });
  if (contentId !== facts.content_id) return "its content is not that which its content id names";
  return contentId === row.contentId ? undefined : "its content id is not that of the catalog";
}
