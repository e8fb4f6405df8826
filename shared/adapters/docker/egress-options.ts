/** Built by `gymline sandbox image --egress`, or of containers/egress/Dockerfile. */
export const EGRESS_IMAGE = "gymline/egress:1";

export interface EgressOptions {
  /** Image with Squid, socat and iproute2 (containers/egress/Dockerfile). */
  readonly image?: string;
  /** Docker network by which the proxies go out; the engine's default bridge where absent. */
  readonly network?: string;
  /**
   * IPv4 addresses of name servers in place of the engine's. Needed on a network other than the default bridge where
   * the name servers have private addresses.
   */
  readonly dns?: readonly string[];
}
