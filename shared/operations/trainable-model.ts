import type { ObjectStore } from "../ports/object-store.ts";

/** What a training can begin with: the folder with `config.json` of a model of the store. */
export type TrainableModel =
  | { readonly kind: "found"; readonly key: string }
  | { readonly kind: "none"; readonly reason: string };

/** @param key prefix of a model, such as `models/<name>/<version>`: its folder, or what a training left there */
export async function trainableModel(
  key: string,
  store: Pick<ObjectStore, "exists">,
): Promise<TrainableModel> {
  for (const folder of [key, `${key}/model`, `${key}/trained`]) {
    if (await store.exists(`${folder}/config.json`)) return { kind: "found", key: folder };
  }
  const isAdapter = await store.exists(`${key}/trained/adapter_config.json`);
  return {
    kind: "none",
    reason: isAdapter
      ? `${key} is an adapter: merge it into its model first, and give that`
      : `the store has no model ${key} (no config.json there): give models/<name>/<version>`,
  };
}
