/** Git repositories that tasks begin from. They are read where the program runs: a sandbox has no network. */
export interface Repositories {
  /**
   * Makes a working tree and hands it to `use`; it is gone afterwards. What comes after the commit is never in it.
   * @throws RepositoryError
   */
  checkout<T>(
    request: CheckoutRequest,
    use: (checkout: Checkout) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T>;
}

export interface CheckoutRequest {
  /** Path of a repository or a bundle. */
  readonly repo: string;
  /** Commit, branch or tag; the repository's HEAD where absent. */
  readonly commit?: string;
  /** One commit without an ancestor instead of the history. */
  readonly hideHistory: boolean;
}

export interface Checkout {
  /** Full hash of the commit in the source repository. */
  readonly commit: string;
  /** Tar of the working tree with its `.git`. */
  readonly archive: AsyncIterable<Uint8Array>;
}

export class RepositoryError extends Error {
  override readonly name = "RepositoryError";
}
