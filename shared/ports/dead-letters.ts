/** A message that a stage gave up on, held for as long as it takes to move it. */
export interface DeadLetter {
  /** Of the queue, for people who look. */
  readonly id: string;
  readonly body: string;
  /** What the queue wants to see when the message is removed or released. */
  readonly receipt: string;
}

/** The queue of what a stage gave up on. */
export interface DeadLetters {
  /** About how many there are, those that somebody else holds left out. */
  count(): Promise<number>;
  /** Takes hold of at most `most` (1 to 10) messages; none: there are none that nobody holds. */
  receive(most: number): Promise<readonly DeadLetter[]>;
  /** Removes what is held; gives those that stay, because the queue did not do it. */
  remove(letters: readonly DeadLetter[]): Promise<readonly DeadLetter[]>;
  /** Lets go of what is held, so that others see it at once. */
  release(letters: readonly DeadLetter[]): Promise<void>;
}
