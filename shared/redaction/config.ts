import { z } from "zod";

/** Names of the built-in detectors, as used in `disabled`. */
export const detectorNames = [
  "provider-token",
  "known-rules",
  "private-key",
  "jwt",
  "auth-header",
  "url-credential",
  "credential-assignment",
  "email",
  "phone",
  "bank-card",
  "iban",
  "resident-id",
  "social-security-number",
  "private-ip",
  "internal-url",
] as const;

const compiles = (source: string, flags: string): string | undefined => {
  try {
    new RegExp(source, flags);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : "invalid";
  }
};

const customPatternSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Z][A-Z0-9_]{0,62}$/, "use capital letters, digits and underscores, such as EMPLOYEE_ID")
      .describe("Type shown in the placeholder."),
    regex: z.string().min(1).max(2000).describe("JavaScript regular expression."),
    flags: z
      .string()
      .regex(/^[imsuv]*$/, "only the flags i, m, s, u and v are allowed")
      .default("u"),
  })
  .superRefine((pattern, context) => {
    const problem = compiles(pattern.regex, pattern.flags);
    if (problem !== undefined) {
      context.addIssue({
        code: "custom",
        path: ["regex"],
        message: `pattern ${pattern.name} does not compile: ${problem}`,
      });
    } else if (new RegExp(pattern.regex, pattern.flags).test("")) {
      context.addIssue({
        code: "custom",
        path: ["regex"],
        message: `pattern ${pattern.name} matches the empty text`,
      });
    }
  });

const allowEntrySchema = z
  .union([
    z.string().min(1),
    z.strictObject({
      regex: z.string().min(1).max(2000),
      flags: z
        .string()
        .regex(/^[imsuv]*$/)
        .default("u"),
    }),
  ])
  .superRefine((entry, context) => {
    if (typeof entry === "string") return;
    const problem = compiles(entry.regex, entry.flags);
    if (problem !== undefined)
      context.addIssue({ code: "custom", message: `allow pattern does not compile: ${problem}` });
  });

/**
 * What redaction looks for. Custom patterns run over every text with the engine's own backtracking
 * matcher: keep them free of nested repeats, or a hostile log can stall a run.
 */
export const redactionConfigSchema = z.strictObject({
  disabled: z
    .array(z.enum(detectorNames))
    .readonly()
    .default([])
    .describe("Built-in detectors to leave out."),
  custom: z
    .array(customPatternSchema)
    .max(100)
    .readonly()
    .default([])
    .describe("Further patterns to redact."),
  allow: z
    .array(allowEntrySchema)
    .readonly()
    .default([])
    .describe("Values never redacted: exact texts, or patterns that must match the whole value."),
  allowEmailDomains: z
    .array(z.string().min(1))
    .readonly()
    .default([])
    .describe("E-mail addresses at these domains stay."),
  redactLoopback: z.boolean().default(false).describe("Also redact localhost, 127.0.0.0/8 and ::1."),
});

export type RedactionConfig = z.infer<typeof redactionConfigSchema>;
