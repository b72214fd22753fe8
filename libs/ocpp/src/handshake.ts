import type { OcppVersion } from './dialect.ts';

/**
 * RFC 6455 lists the subprotocols in the client's order of preference; a missing header is an empty
 * list (J-09).
 */
export function offeredProtocols(header: string | undefined): string[] {
  return (header ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/**
 * The first version the station offers that is enabled for it (J-07), `undefined` = none in common:
 * then the handshake is completed without a subprotocol and the socket closed (J-08). What the URL
 * says about versions does not count (J-10).
 */
export function negotiate(
  offered: readonly string[],
  enabled: readonly OcppVersion[],
): OcppVersion | undefined {
  return offered.find((name): name is OcppVersion => enabled.some((version) => version === name));
}

const identityCharsMax = 255;

/**
 * The station's identity: the last segment of the request's path, percent-decoded exactly once
 * (J-02), case kept (J-03). A trailing slash and paths of any depth are tolerated. `undefined` if
 * there is none or it cannot be one.
 */
export function identityOf(url: string | undefined): string | undefined {
  const path = (url ?? '').split(/[?#]/, 1)[0] ?? '';
  const segment = path.split('/').findLast((part) => part !== '');
  if (!segment) return undefined;
  let identity: string;
  try {
    identity = decodeURIComponent(segment);
  } catch {
    return undefined;
  }
  // Control characters have no place in a name that goes into logs and files.
  return identity.length > identityCharsMax || /[\u0000-\u001f\u007f]/.test(identity)
    ? undefined
    : identity;
}

export interface BasicCredentials {
  readonly user: string;
  /** The bytes as sent: a 1.6 key is raw bytes, not text (W16-02, T-14). */
  readonly password: Buffer;
}

/** The `Authorization: Basic` header, split at the first colon; `undefined` if it is none. */
export function basicCredentials(header: string | undefined): BasicCredentials | undefined {
  const encoded = /^basic +([A-Za-z0-9+/_=-]+) *$/i.exec(header ?? '')?.[1];
  if (!encoded || encoded.length > 1024) return undefined;
  const bytes = Buffer.from(encoded, 'base64');
  const colon = bytes.indexOf(0x3a);
  if (colon < 0) return undefined;
  return { user: bytes.subarray(0, colon).toString('utf8'), password: bytes.subarray(colon + 1) };
}
