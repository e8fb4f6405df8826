import { isTemplate } from "../credential-value.ts";
import type { Detector } from "../detector.ts";
import { readUrl } from "../url.ts";

/** Words that stand in for a password beside a token given as the user name. */
const fillers = new Set(["x-oauth-basic", "x-access-token", "oauth2", ""]);

const databases =
  /^(?:jdbc:)?(?:postgres(?:ql)?|mysqlx?|mariadb|mongodb|rediss?|amqps?|mssql|sqlserver|oracle|clickhouse)/;

/** "pa/ss" in a connection string: the user information runs on past the slash. */
const withSlash = /^[^\s:@/"'`<>\\]{0,128}:[^\s@"'`<>\\]{1,256}@[A-Za-z0-9[]/;

/**
 * User names with passwords, and tokens, in URLs and connection strings. The user name stays unless
 * it looks like a token itself. Matches imply a `url` anchor.
 */
export const urlCredential: Detector = {
  name: "url-credential",
  detect: ({ text, anchors, add }) => {
    for (const colon of anchors.url) {
      const url = readUrl(text, colon);
      if (url === undefined) continue;
      let at = url.at;
      if (at === -1 && databases.test(url.scheme)) {
        const match = withSlash.exec(text.slice(url.authority, url.authority + 400));
        if (match !== null) at = url.authority + match[0].length - 2;
      }
      if (at === -1) continue;
      const info = text.slice(url.authority, at);
      const split = info.indexOf(":");
      const user = split === -1 ? info : info.slice(0, split);
      const password = split === -1 ? "" : info.slice(split + 1);
      const secretUser =
        !isTemplate(user) &&
        (user.length >= 20 ||
          /%40|@/.test(user) ||
          (fillers.has(password) && user.length >= 8 && /\d/.test(user)));
      if (secretUser) add({ type: "URL_CREDENTIAL", start: url.authority, end: url.authority + user.length });
      if (!fillers.has(password) && !isTemplate(password)) {
        add({ type: "URL_CREDENTIAL", start: url.authority + split + 1, end: at });
      }
    }
  },
};
