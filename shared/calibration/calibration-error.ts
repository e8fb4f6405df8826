/** Scores cannot be compared with labels, or no calibration be fitted, or a calibration file be used. */
export class CalibrationError extends Error {
  override readonly name = "CalibrationError";
}
