/** Network class of an address; "public" also for text that is no address. */
export type AddressClass = "private" | "loopback" | "public";

const octets = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

/** RFC 1918, RFC 3927 (link-local, holds the metadata address) and loopback addresses. */
export const classifyIpv4 = (address: string): AddressClass => {
  const match = octets.exec(address);
  if (match === null) return "public";
  const parts = match.slice(1).map(Number);
  if (parts.some((part) => part > 255)) return "public";
  const [a = 0, b = 0] = parts;
  if (a === 127) return "loopback";
  if (a === 10 || (a === 172 && b >= 16 && b <= 31) || (a === 192 && b === 168) || (a === 169 && b === 254)) {
    return "private";
  }
  return "public";
};

/** RFC 4193 unique local, RFC 4291 link-local and loopback addresses. */
export const classifyIpv6 = (address: string): AddressClass => {
  if (!/^[0-9a-fA-F:]{2,39}$/.test(address)) return "public";
  const halves = address.split("::");
  if (halves.length > 2) return "public";
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  if (groups.some((group) => group.length === 0 || group.length > 4)) return "public";
  if (halves.length === 2 ? groups.length > 7 : groups.length !== 8) return "public";
  if (address === "::1") return "loopback";
  const first = Number.parseInt(halves[0]?.split(":")[0] ?? "", 16);
  if ((first & 0xfe00) === 0xfc00 || (first & 0xffc0) === 0xfe80) return "private";
  return "public";
};
