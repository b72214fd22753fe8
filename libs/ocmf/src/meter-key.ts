import { createPublicKey, getCurves, type KeyObject } from 'node:crypto';

/** A curve as OCMF names it, as node:crypto names it, and its identifier in a key (DER, hex). */
interface Curve {
  readonly name: string;
  readonly nodeName: string;
  readonly oid: string;
  /** Bytes of one coordinate. */
  readonly size: number;
}

const CURVES: readonly Curve[] = [
  { name: 'secp192k1', nodeName: 'secp192k1', oid: '06052b8104001f', size: 24 },
  { name: 'secp192r1', nodeName: 'prime192v1', oid: '06082a8648ce3d030101', size: 24 },
  { name: 'secp256k1', nodeName: 'secp256k1', oid: '06052b8104000a', size: 32 },
  { name: 'secp256r1', nodeName: 'prime256v1', oid: '06082a8648ce3d030107', size: 32 },
  { name: 'secp384r1', nodeName: 'secp384r1', oid: '06052b81040022', size: 48 },
  { name: 'secp521r1', nodeName: 'secp521r1', oid: '06052b81040023', size: 66 },
  { name: 'brainpool256r1', nodeName: 'brainpoolP256r1', oid: '06092b2403030208010107', size: 32 },
  { name: 'brainpool384r1', nodeName: 'brainpoolP384r1', oid: '06092b240303020801010b', size: 48 },
];

export function curveOf(name: string): Curve | undefined {
  const plain = name.toLowerCase().replace('brainpoolp', 'brainpool');
  return CURVES.find((curve) => curve.name === plain && getCurves().includes(curve.nodeName));
}

/** A meter's public key. */
export interface MeterKey {
  readonly key: KeyObject;
  /** As OCMF names it; absent for one that it does not name. */
  readonly curve: string | undefined;
}

const CHARS_MAX = 5_000;

/**
 * A public key in any of the forms in which meters, labels and stations give it: the
 * SubjectPublicKeyInfo or the bare point in hex or base64, PEM, and `oca:base16:asn1:…`, plain or in
 * base64 (OCA, Signed Meter Values in OCPP). A bare point needs the curve of its signature. Undefined
 * for what is none.
 */
export function readMeterKey(text: string, curve?: string): MeterKey | undefined {
  if (text.length > CHARS_MAX) return undefined;
  const bytes = keyBytes(text);
  if (!bytes) return undefined;
  const point = curve === undefined ? undefined : curveOf(curve);
  return fromSpki(bytes) ?? (point && fromSpki(spkiOfPoint(bytes, point)));
}

/** The SubjectPublicKeyInfo in base64, as OCPI's public_key wants it. */
export function keyText({ key }: MeterKey): string {
  return key.export({ type: 'spki', format: 'der' }).toString('base64');
}

function keyBytes(given: string): Buffer | undefined {
  const text = given.trim();
  if (text.startsWith('-----BEGIN PUBLIC KEY-----')) {
    return keyBytes(text.replaceAll(/-----(BEGIN|END) PUBLIC KEY-----/g, ''));
  }
  const said = /^oca:(base16|base64):asn1:(.*)$/s.exec(text);
  const plain = (said?.[2] ?? text).replaceAll(/\s/g, '');
  if (said?.[1] !== 'base64' && /^([0-9a-f]{2})+$/i.test(plain)) return Buffer.from(plain, 'hex');
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(plain)) return undefined;
  const bytes = Buffer.from(plain, 'base64');
  const inside = bytes.toString('latin1');
  // Base64 over hex, with and without its prefix: the application note has both.
  const isText = !said && (inside.startsWith('oca:') || /^([0-9a-f]{2}){20,}$/i.test(inside));
  return isText ? keyBytes(inside) : bytes;
}

function fromSpki(der: Buffer | undefined): MeterKey | undefined {
  if (!der || der[0] !== 0x30) return undefined;
  try {
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    if (key.asymmetricKeyType !== 'ec') return undefined;
    const { namedCurve } = key.asymmetricKeyDetails ?? {};
    return { key, curve: CURVES.find(({ nodeName }) => nodeName === namedCurve)?.name };
  } catch {
    return undefined;
  }
}

const EC_PUBLIC_KEY = '06072a8648ce3d0201';

function spkiOfPoint(bytes: Buffer, { oid, size }: Curve): Buffer | undefined {
  const point = bytes.length === 2 * size ? Buffer.concat([Buffer.from([4]), bytes]) : bytes;
  const isPoint = point[0] === 4 ? point.length === 2 * size + 1 : point.length === size + 1;
  if (!isPoint) return undefined;
  const algorithm = der(0x30, Buffer.from(`${EC_PUBLIC_KEY}${oid}`, 'hex'));
  return der(0x30, Buffer.concat([algorithm, der(0x03, Buffer.concat([Buffer.from([0]), point]))]));
}

/** Everything here is shorter than 256 bytes. */
function der(tag: number, content: Buffer): Buffer {
  const length = content.length < 0x80 ? [content.length] : [0x81, content.length];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}
