/** A range of IPv4 addresses; the address is its first. */
export interface Cidr {
  readonly address: string;
  readonly bits: number;
}

/** Four decimal numbers without leading zeros, which some programs read as octal. */
export function isIPv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
}

/** Undefined where the text is none, or its address has bits beyond the mask. */
export function cidrOf(text: string): Cidr | undefined {
  const [, address = "", digits = ""] = /^([\d.]+)\/(\d{1,2})$/.exec(text) ?? [];
  const bits = Number(digits);
  if (!isIPv4(address) || bits > 32) return undefined;
  const range = { address, bits };
  return numberOf(address) % sizeOf(range) === 0 ? range : undefined;
}

export function cidrText({ address, bits }: Cidr): string {
  return `${address}/${bits}`;
}

/** Whether all of `inner` lies in `outer`. */
export function within(inner: Cidr, outer: Cidr): boolean {
  if (inner.bits < outer.bits) return false;
  const start = numberOf(inner.address);
  return start - (start % sizeOf(outer)) === numberOf(outer.address);
}

/** The ranges without those that are taken out, in as few ranges as that takes. */
export function without(ranges: readonly Cidr[], taken: readonly Cidr[]): readonly Cidr[] {
  return ranges.flatMap((range): readonly Cidr[] => {
    if (taken.some((each) => within(range, each))) return [];
    if (!taken.some((each) => within(each, range))) return [range];
    const bits = range.bits + 1;
    const upper = numberOf(range.address) + 2 ** (32 - bits);
    return without(
      [
        { address: range.address, bits },
        { address: textOf(upper), bits },
      ],
      taken,
    );
  });
}

/** Private ranges, of which whoever runs sandboxes may open some. */
export const OPENABLE: readonly Cidr[] = [
  { address: "10.0.0.0", bits: 8 },
  { address: "172.16.0.0", bits: 12 },
  { address: "192.168.0.0", bits: 16 },
  { address: "100.64.0.0", bits: 10 },
];

/**
 * What is not the public internet (IANA's registry of special-purpose addresses), and the one public address behind
 * which a cloud keeps its machines' agents (Azure's 168.63.129.16). The metadata services of AWS, Google and Azure are
 * in 169.254.0.0/16, Oracle's in 192.0.0.0/24, Alibaba's in 100.64.0.0/10.
 */
export const REFUSED_RANGES: readonly Cidr[] = [
  ...OPENABLE,
  { address: "0.0.0.0", bits: 8 },
  { address: "127.0.0.0", bits: 8 },
  { address: "168.63.129.16", bits: 32 },
  { address: "169.254.0.0", bits: 16 },
  { address: "192.0.0.0", bits: 24 },
  { address: "192.0.2.0", bits: 24 },
  { address: "192.88.99.0", bits: 24 },
  { address: "198.18.0.0", bits: 15 },
  { address: "198.51.100.0", bits: 24 },
  { address: "203.0.113.0", bits: 24 },
  { address: "224.0.0.0", bits: 3 },
];

function sizeOf({ bits }: Cidr): number {
  return 2 ** (32 - bits);
}

function numberOf(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

function textOf(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
}
