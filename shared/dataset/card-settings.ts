import { z } from "zod";

/** `dataset.card`: front matter of the card as Hugging Face reads it, beside what follows from the data. */
export const cardSchema = z.strictObject({
  /** An identifier such as `apache-2.0` or `cc-by-4.0`; `other` goes with `licenseName` and `licenseLink`. */
  license: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9.-]*$/,
      "an identifier of Hugging Face in lower case, such as apache-2.0 or cc-by-4.0",
    )
    .optional(),
  licenseName: z.string().min(1).optional(),
  licenseLink: z.string().min(1).optional(),
  /** Languages of the texts, such as `en`. */
  language: z
    .array(z.string().regex(/^[a-z]{2,3}(-[A-Za-z0-9]+)*$/, "a language code such as en or zh"))
    .optional(),
  /** Beside those that follow from the target. */
  tags: z.array(z.string().regex(/^[\w][\w.:-]*$/, "letters, digits, `_`, `.`, `:` and `-` only")).optional(),
});

export type CardSettings = z.infer<typeof cardSchema>;
