/** A model cannot be reached as it is set up: a key is missing, or a setting makes no sense. Says what to change. */
export class ModelSettingsError extends Error {
  override readonly name = "ModelSettingsError";
}
