const ASCII_PER_TOKEN = 2.7;
const BYTES_PER_TOKEN = 2;

/**
 * About how many tokens a text has: one for 2.7 ASCII characters, and one for two UTF-8 bytes of all others, rounded up.
 *
 * Meant to be too high rather than too low. Current Claude models make one token of about 2.7 to 3.1 characters of
 * English prose and of about 2.5 to 3 of code; for logs the estimate was not checked against a tokenizer, so allow for
 * 10 % below and 35 % above the true number, and more for long runs of digits or random letters, of which a token
 * holds two to three. Budgets are settled by what the provider reports, not by this.
 */
export function estimateTokens(text: string): number {
  const bytes = Buffer.byteLength(text, "utf8");
  // Most texts of logs are ASCII from end to end, which takes no look at each character.
  if (bytes === text.length) return Math.ceil(bytes / ASCII_PER_TOKEN);
  let ascii = 0;
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) < 0x80) ascii += 1;
  return Math.ceil(ascii / ASCII_PER_TOKEN + (bytes - ascii) / BYTES_PER_TOKEN);
}
