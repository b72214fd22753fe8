import { BlockList, isIP } from 'node:net';

/** An endpoint and path segments, joined by exactly one `/`, each segment percent-encoded. TRN-16. */
export function joinUrl(endpoint: string, ...segments: readonly string[]): string {
  const end = endpoint.indexOf('?');
  const base = end < 0 ? endpoint : endpoint.slice(0, end);
  let path = base.endsWith('/') ? base.replace(/\/+$/, '') : base;
  for (const segment of segments) path += `/${pathSegment(segment)}`;
  return end < 0 ? path : path + endpoint.slice(end);
}

/** "." and ".." would be resolved away by any URL parser, also percent-encoded, so they are no segment. */
function pathSegment(segment: string): string {
  if (/^[\w~*-]+$/.test(segment)) return segment;
  if (['', '.', '..'].includes(segment)) throw new TypeError(`"${segment}" cannot stand in a URL path`);
  return encodeURIComponent(segment).replace(/[!'()]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

export interface UrlRules {
  /** Whether addresses of this machine and of private networks may be called, and http without TLS (TRN-08): tests, demos, closed networks. */
  readonly allowPrivate: boolean;
}

export type UrlReading =
  | { readonly ok: true; readonly url: URL }
  | { readonly ok: false; readonly message: string };

/**
 * Whether we may call a URL that a partner gave (response_url, versions, endpoints, next pages). Says
 * why not in one sentence. A name that resolves to a private address is refused when connecting: see
 * `outboundAgent`.
 */
export function allowedUrl(text: string, { allowPrivate }: UrlRules): UrlReading {
  const refused = (message: string): UrlReading => ({ ok: false, message });
  if (!URL.canParse(text)) return refused('is no absolute URL');
  const url = new URL(text);
  if (!['https:', 'http:'].includes(url.protocol)) return refused(`has the scheme ${url.protocol}, not https:`);
  if (url.protocol === 'http:' && !allowPrivate) return refused('is not https');
  if (url.username !== '' || url.password !== '') return refused('holds a user name or password');
  if (!allowPrivate && isPrivateHost(url.hostname)) return refused(`names ${url.hostname}, a private address`);
  return { ok: true, url };
}

function isPrivateHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '').toLowerCase();
  if (isIP(host) !== 0) return isPrivateAddress(host);
  // A name without a dot is a neighbour's in a closed network.
  return !host.includes('.') || /\.(localhost|local|internal|intranet|lan|home|corp|arpa)$/.test(host);
}

const privateAddresses = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['169.254.0.0', 16], ['172.16.0.0', 12],
  ['192.0.0.0', 24], ['192.0.2.0', 24], ['192.88.99.0', 24], ['192.168.0.0', 16], ['198.18.0.0', 15],
  ['198.51.100.0', 24], ['203.0.113.0', 24], ['224.0.0.0', 4], ['240.0.0.0', 4],
] as const) privateAddresses.addSubnet(net, bits, 'ipv4');
const publicIpv6 = new BlockList();
publicIpv6.addSubnet('2000::', 3, 'ipv6');
for (const [net, bits] of [
  ['2001::', 23], ['2001:db8::', 32], ['2002::', 16], ['3fff::', 20],
] as const) privateAddresses.addSubnet(net, bits, 'ipv6');

/** Whether an IP address is not one of the public internet's: this machine, private, link-local, tunnels, test nets. */
export function isPrivateAddress(address: string): boolean {
  if (isIP(address) === 4) return privateAddresses.check(address, 'ipv4');
  const ip = address.replace(/%.*$/, '');
  return !publicIpv6.check(ip, 'ipv6') || privateAddresses.check(ip, 'ipv6');
}
