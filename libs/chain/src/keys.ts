import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign as signBytes,
  verify as verifyBytes,
} from 'node:crypto';

/**
 * Ed25519 (RFC 8032). A public key is written as its 32 bytes in base64url, 43 characters: that is
 * its name as well, so that a head says by itself which key signed it.
 */
export type PublicKey = string;

export interface Signer {
  readonly publicKey: PublicKey;
  /** The signature of a text's UTF-8, base64url, 86 characters. */
  sign(text: string): string;
}

/** The text is no key of the kind that was asked for. */
export class InvalidKey extends Error {
  override readonly name = 'InvalidKey';
}

const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Signs by the key whose seed these 32 bytes are. */
export function signerFromSeed(seed: Uint8Array): Signer {
  if (seed.length !== 32) throw new InvalidKey(`a seed has 32 bytes, not ${seed.length}`);
  const key = Buffer.concat([PKCS8_PREFIX, seed]);
  return signerOf(createPrivateKey({ key, format: 'der', type: 'pkcs8' }));
}

/** Signs by an Ed25519 private key in PEM (`openssl genpkey -algorithm ed25519`). Throws InvalidKey. */
export function signerFromPem(pem: string): Signer {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw new InvalidKey('is no private key in PEM, such as openssl genpkey -algorithm ed25519 makes');
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new InvalidKey(`is a ${key.asymmetricKeyType} key, not Ed25519`);
  return signerOf(key);
}

function signerOf(key: KeyObject): Signer {
  const { x } = createPublicKey(key).export({ format: 'jwk' });
  return {
    publicKey: x as string,
    sign: (text) => signBytes(null, Buffer.from(text), key).toString('base64url'),
  };
}

const known = new Map<PublicKey, KeyObject>();

/** Whether the signature is that key's, of this text. False also for what is no key or signature. */
export function isSignedBy(publicKey: PublicKey, text: string, signature: string): boolean {
  if (!isPublicKey(publicKey) || !isBase64url(signature, 64)) return false;
  const key = known.get(publicKey) ?? keyObject(publicKey);
  return verifyBytes(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'));
}

function keyObject(publicKey: PublicKey): KeyObject {
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' });
  if (known.size > 100) known.clear();
  known.set(publicKey, key);
  return key;
}

export function isPublicKey(text: string): boolean {
  return isBase64url(text, 32);
}

/** In its one spelling: the bits that the last character has too many are zero. */
function isBase64url(text: string, bytes: number): boolean {
  const read = Buffer.from(text, 'base64url');
  return read.length === bytes && read.toString('base64url') === text;
}

/**
 * The public keys of a file: each in PEM, or as its 43 characters on a line of its own; what stands
 * behind `#` is ignored. Throws InvalidKey when there is none or one is no Ed25519 key.
 */
export function readPublicKeys(text: string): PublicKey[] {
  const pem = /-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g;
  const fromPem = [...text.matchAll(pem)].map(([block]) => publicKeyOfPem(block));
  const lines = text
    .replace(pem, '')
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');
  const strange = lines.find((line) => !isPublicKey(line));
  if (strange !== undefined)
    throw new InvalidKey(`no Ed25519 public key (PEM, or 43 characters of base64url): ${strange.slice(0, 50)}`);
  if (fromPem.length + lines.length === 0) throw new InvalidKey('there is no public key in it');
  return [...fromPem, ...lines];
}

function publicKeyOfPem(pem: string): PublicKey {
  let x: unknown;
  try {
    x = createPublicKey(pem).export({ format: 'jwk' }).x;
  } catch {
    x = undefined;
  }
  if (typeof x !== 'string' || !isPublicKey(x)) throw new InvalidKey('a PUBLIC KEY block in it is no Ed25519 key');
  return x;
}
