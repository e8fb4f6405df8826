/** Gives the memory of bytes that nobody reads again back at once: the collector would let many of them pile up. */
export function releaseBytes({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
