import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hash, randomBytes } from 'node:crypto';
import type { Settings } from '#settings';

const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Hashes of tokens that were presented lately, which partners present again with each request. */
const REMEMBERED_MOST = 10_000;

/** How credentials tokens are made and kept. Neither form in the database is of use without ROAMWATT_SECRET. */
export interface Secrets {
  /** 43 characters that OCPI allows in a token (CRE-09). */
  newToken(): string;
  /** Of a token that a partner presents. */
  hash(token: string): Buffer;
  /** Of a token that we present; bound to its partner. */
  seal(token: string, partnerId: string): Buffer;
  open(sealed: Buffer, partnerId: string): string;
}

export function secretsOf(settings: Settings): Secrets {
  // As a KeyObject: a key in bytes would be made one for each token, at five times the price of the hash.
  const hashKey = createSecretKey(settings.key('partner tokens'));
  const sealKey = settings.key('tokens we present to partners');
  return {
    newToken: () => randomBytes(32).toString('base64url'),
    hash: remembered((token) => createHmac('sha256', hashKey).update(token).digest()),
    seal(token, partnerId) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', sealKey, iv).setAAD(Buffer.from(partnerId));
      const text = Buffer.concat([cipher.update(token, 'utf8'), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), text]);
    },
    open(sealed, partnerId) {
      const decipher = createDecipheriv('aes-256-gcm', sealKey, sealed.subarray(0, IV_BYTES))
        .setAAD(Buffer.from(partnerId))
        .setAuthTag(sealed.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
      const text = Buffer.concat([decipher.update(sealed.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
      return text.toString('utf8');
    },
  };
}

/** No token is remembered as it came. */
function remembered(of: (token: string) => Buffer): (token: string) => Buffer {
  const known = new Map<string, Buffer>();
  return (token) => {
    const key = hash('sha256', token, 'base64url');
    const found = known.get(key) ?? of(token);
    // Behind the others: the first of the map is the one that was not presented for the longest.
    known.delete(key);
    known.set(key, found);
    if (known.size > REMEMBERED_MOST) known.delete(known.keys().next().value!);
    return found;
  };
}
