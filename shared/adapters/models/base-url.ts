import { ModelSettingsError } from "./model-settings-error.ts";

/** The URL without a slash at its end. @throws ModelSettingsError where it is no plain http(s) URL */
export function baseUrlOf(text: string, label: string): URL {
  const url = URL.parse(text.trim());
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new ModelSettingsError(
      `${label}: the base URL is no http or https URL; give one like https://host/v1`,
    );
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new ModelSettingsError(
      `${label}: the base URL holds a user, a password, a query or a fragment; give the key by itself`,
    );
  }
  url.pathname = url.pathname.replace(/\/+$/, "");
  return url;
}

/**
 * The key without space around it, such as the line break a file ends with.
 * @throws ModelSettingsError where it cannot be sent; never quotes it
 */
export function sendableKey(key: string, label: string): string {
  const trimmed = key.trim();
  if (/^[\x21-\x7e]+$/.test(trimmed)) return trimmed;
  throw new ModelSettingsError(
    `${label}: the API key is empty or holds characters that no key has; copy it anew from the provider`,
  );
}
