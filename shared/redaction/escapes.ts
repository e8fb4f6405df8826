/**
 * Escapes as they stand in JSON and source text inside a text, in URLs and in terminal output. Only those that touch
 * a word matter: there the last letter of the escape hides where the word starts.
 */
const escapes =
  /(?:\\{1,8}(?:[abfnrtv]|u[\da-fA-F]{4}|x[\da-fA-F]{2}|033)|\u001b|%(?:25)?[\da-fA-F]{2})(?:\[[\d;]{0,16}[A-Za-z])?(?=[A-Za-z0-9+])/g;

/**
 * The text with blanks in place of such escapes, so that what stands behind one is seen as a word of its own; all
 * other characters keep their places. Undefined where there is none.
 */
export const blankEscapes = (text: string): string | undefined => {
  if (!text.includes("\\") && !text.includes("%") && !text.includes("\u001b")) return undefined;
  const blanked = text.replace(escapes, (found) => " ".repeat(found.length));
  return blanked === text ? undefined : blanked;
};
