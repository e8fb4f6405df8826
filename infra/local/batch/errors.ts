/** What the caller asked for cannot be done; AWS answers it with status 400 and this name. */
export class ClientException extends Error {
  override readonly name = "ClientException";
}

/** A template, a values file or an option that the runner cannot work with. */
export class BatchSetupError extends Error {
  override readonly name = "BatchSetupError";
}

/** No program or local image stands for the image of a job definition. */
export class UnmappedImageError extends Error {
  override readonly name = "UnmappedImageError";
  constructor(image: string) {
    super(`no program stands for image ${image}; map it with --map '${image}=program argument …'`);
  }
}

/** A definition asks for secrets, which the runner takes from the variables it was given. */
export class MissingSecretError extends Error {
  override readonly name = "MissingSecretError";
  constructor(variable: string) {
    super(`secret ${variable} has no value here; give it to the runner with --env ${variable}=…`);
  }
}
