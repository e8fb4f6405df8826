/** Agents cannot be compared, or an evaluation cannot be made, as it was asked; names the agents or files and the remedy. */
export class EvaluationError extends Error {
  override readonly name = "EvaluationError";
}
